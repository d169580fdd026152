import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractTar } from '@dstack/agent/parts';
import fc from 'fast-check';
import { type Campaign, trial } from './campaign.js';
import { type TarEntry, paxRecord, tarBytes } from './tar-bytes.js';

const CASES = 400;
/** What one block of an archive may make on a disk, generously: a file or a directory, and the directories above it. */
const MOST_FILES_PER_BLOCK = 70;

export const archiveCampaign: Campaign = {
  name: 'archives',
  what: 'tar archives that the agent unpacks: ways out, links, devices, lies, truncation',
  open: async () => {
    const place = mkdtempSync(join(tmpdir(), 'dstack-fuzz-tar-'));
    const inside = trial(
      'nothing appears or changes outside the target, and no more inside than was sent',
      CASES,
      fc.asyncProperty(archive, fc.boolean(), (bytes, renames) => unpack(place, bytes, renames)),
    );
    return { trials: [inside], close: async () => rmSync(place, { recursive: true, force: true }) };
  },
};

async function unpack(place: string, bytes: Buffer, renames: boolean): Promise<void> {
  const dir = mkdtempSync(join(place, 'case-'));
  try {
    const root = join(dir, 'a', 'root');
    mkdirSync(root, { recursive: true });
    mkdirSync(join(dir, 'outside'));
    writeFileSync(join(dir, 'outside', 'file'), 'untouched');
    writeFileSync(join(dir, 'archive.tar'), bytes);
    const before = snapshot(dir, root);
    const rename = (path: string): string => ['renamed', ...path.split('/').slice(1)].join('/');
    try {
      await extractTar(join(dir, 'archive.tar'), root, renames ? { rename } : {});
    } catch (error) {
      if (!isTold(error)) throw error;
    }
    const after = snapshot(dir, root);
    if (after !== before) throw new Error(`outside changed:\n${before}\nto\n${after}`);
    checkInside(root, bytes.length);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** By shape: errors of the system may come from another realm. */
function isTold(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('message' in error) || !('name' in error)) return false;
  return error.message !== '' && error.name !== 'TypeError' && error.name !== 'RangeError';
}

/** Everything but the target. */
function snapshot(dir: string, except: string): string {
  return walk(dir, except)
    .map((path) => {
      const stat = lstatSync(path);
      return `${path} ${stat.mode} ${stat.nlink > 1 && !stat.isDirectory()} ${stat.isFile() ? readFileSync(path, 'latin1').slice(0, 20) : ''}`;
    })
    .join('\n');
}

function checkInside(root: string, archiveBytes: number): void {
  const paths = walk(root);
  let size = 0;
  for (const path of paths) {
    const stat = lstatSync(path);
    if (stat.isFile()) size += stat.nlink > 1 ? 0 : stat.size;
    else if (!stat.isDirectory() && !stat.isSymbolicLink())
      throw new Error(`${path} is neither file, directory nor link`);
    if (stat.isSymbolicLink() && leadsOut(path, root)) throw new Error(`${path} leads out`);
    if ((stat.mode & 0o7000) !== 0) throw new Error(`${path} has the mode ${stat.mode.toString(8)}`);
  }
  if (size > archiveBytes) throw new Error(`${size} bytes came of ${archiveBytes}`);
  if (paths.length > (archiveBytes / 512) * MOST_FILES_PER_BLOCK)
    throw new Error(`${paths.length} files came of ${archiveBytes} bytes`);
}

function leadsOut(path: string, root: string): boolean {
  try {
    const real = realpathSync(path);
    return real !== root && !real.startsWith(`${root}/`);
  } catch {
    return false; // it leads nowhere
  }
}

function walk(dir: string, except?: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (path === except) return [];
    return entry.isDirectory() ? [path, ...walk(path, except)] : [path];
  });
}

/** Few names, so that entries meet: a link where a directory was, a file through a link, a link over a link. */
const name = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(fc.constantFrom('a', 'b', 'l', '..', '.', 'root'), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '/tmp/evil',
      '',
      '/',
      'a//b',
      'a/',
      '\u00ff',
      'a\nb',
      'C:\\x',
      '....//',
      'x'.repeat(99),
      './../../outside/file',
      '~/x',
      '-rf',
      'a/b/'.repeat(24),
    ),
  },
);
const type = fc.constantFrom('0', '0', '5', '5', '2', '2', '2', '1', '1', '3', '4', '6', '7', 'S', 'V', 'g', '\u0000');
const entry: fc.Arbitrary<TarEntry[]> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({
        name,
        type,
        link: name,
        content: fc.constantFrom('', 'x', 'y'.repeat(600)),
        mode: fc.constantFrom(0o644, 0o755, 0o4777, 0o1777, 0),
      })
      .map((one) => [one]),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ name, type, link: name, size: fc.constantFrom(1, 511, 100_000, 2 ** 32) })
      .map((one) => [one]),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        name,
        link: name,
        type,
        deep: fc.constantFrom(1, 1, 1, 60, 1_000),
        size: fc.constantFrom('', '-1', '99999999999', 'x'),
      })
      .map(({ name: path, link, type: kind, deep, size }) => {
        const records = [
          paxRecord('path', `${'d/'.repeat(deep - 1)}${path}`),
          paxRecord('linkpath', link),
          ...(size === '' ? [] : [paxRecord('size', size)]),
        ];
        return [
          { name: 'pax', type: 'x', content: records.join('') },
          { name: 'short', type: kind },
        ];
      }),
  },
  {
    weight: 1,
    arbitrary: name.map((path) => [
      { name: 'long', type: 'L', content: `${path}\u0000` },
      { name: 'short', type: '0', content: 'x' },
    ]),
  },
);

const archive: fc.Arbitrary<Buffer> = fc
  .record({
    entries: fc.array(entry, { minLength: 1, maxLength: 6 }),
    damage: fc.option(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }), cut: fc.boolean() }), {
      freq: 3,
      nil: undefined,
    }),
  })
  .map(({ entries, damage }) => {
    const bytes = tarBytes(entries.flat());
    if (damage === undefined) return bytes;
    const at = damage.at % bytes.length;
    if (damage.cut) return bytes.subarray(0, at);
    bytes[at] = damage.byte;
    return bytes;
  });
