import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { buildArchive } from '../src/archive/build-archive.js';

let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'dstack-cli-test-'));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

async function listed(tar: Uint8Array): Promise<Record<string, string>> {
  const entries: Record<string, string> = {};
  const reader = extract();
  reader.end(Buffer.from(tar));
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
    entries[entry.header.name] =
      entry.header.type === 'symlink' ? `-> ${entry.header.linkname ?? ''}` : Buffer.concat(chunks).toString();
  }
  return entries;
}

describe('an archive of files', () => {
  it('holds a directory under its name, without what ignore files exclude', async () => {
    const root = join(work, 'src');
    mkdirSync(join(root, 'deep'), { recursive: true });
    mkdirSync(join(root, '.git'));
    writeFileSync(join(root, '.git', 'HEAD'), 'x');
    writeFileSync(join(root, '.gitignore'), '*.log\n');
    writeFileSync(join(root, 'deep', '.dstackignore'), '!keep.log\nsecret\n');
    writeFileSync(join(root, 'a.txt'), 'A');
    writeFileSync(join(root, 'b.log'), 'B');
    writeFileSync(join(root, 'deep', 'keep.log'), 'K');
    writeFileSync(join(root, 'deep', 'secret'), 'S');
    writeFileSync(join(work, 'outside'), 'O');
    symlinkSync(join(root, 'a.txt'), join(root, 'inner'));
    symlinkSync(join(work, 'outside'), join(root, 'outer'));
    expect(await listed(await buildArchive(root, work))).toEqual({
      'src/': '',
      'src/.gitignore': '*.log\n',
      'src/a.txt': 'A',
      'src/deep/': '',
      'src/deep/.dstackignore': '!keep.log\nsecret\n',
      'src/deep/keep.log': 'K',
      'src/inner': '-> a.txt',
      'src/outer': 'O',
    });
  });
  it('is the same bytes for the same files', async () => {
    writeFileSync(join(work, 'f'), 'x');
    const [a, b] = [await buildArchive(join(work, 'f'), work), await buildArchive(join(work, 'f'), work)];
    expect(Buffer.from(a).equals(Buffer.from(b))).toBe(true);
  });
  it('names what is missing', async () => {
    await expect(buildArchive(join(work, 'none'), work)).rejects.toThrow(/none does not exist/);
  });
});
