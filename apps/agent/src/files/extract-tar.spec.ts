import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Header, pack } from 'tar-stream';
import { extractTar } from './extract-tar.js';

describe('extracting an archive', () => {
  let root: string;
  let archive: string;
  beforeEach(() => {
    const dir = mkdtempSync(join(tmpdir(), 'tar-'));
    root = mkdtempSync(join(dir, 'root-'));
    archive = join(dir, 'archive.tar');
  });
  afterEach(() => {
    rmSync(join(root, '..'), { recursive: true });
  });

  async function extract(...entries: readonly [Partial<Header> & { name: string }, string?][]): Promise<void> {
    const stream = pack();
    for (const [header, content] of entries) stream.entry(header, content ?? '');
    stream.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    writeFileSync(archive, Buffer.concat(chunks));
    await extractTar(archive, root);
  }

  it('makes files, directories, modes and links that stay inside', async () => {
    await extract(
      [{ name: 'd', type: 'directory' }],
      [{ name: 'd/run', mode: 0o755 }, 'x'],
      [{ name: 'd/link', type: 'symlink', linkname: 'run' }],
      [{ name: 'hard', type: 'link', linkname: 'd/run' }],
    );
    expect(lstatSync(join(root, 'd/run')).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(root, 'd/link'), 'utf8')).toBe('x');
    expect(readFileSync(join(root, 'hard'), 'utf8')).toBe('x');
  });

  it.each<[string, [Partial<Header> & { name: string }, string?][]]>([
    ['a name that climbs out', [[{ name: '../evil' }, 'x']]],
    ['an absolute name', [[{ name: '/tmp/evil' }, 'x']]],
    ['a link that climbs out', [[{ name: 'l', type: 'symlink', linkname: '../..' }]]],
    ['an absolute link', [[{ name: 'l', type: 'symlink', linkname: '/etc/passwd' }]]],
    ['a hard link that climbs out', [[{ name: 'l', type: 'link', linkname: '../archive.tar' }]]],
    ['a device', [[{ name: 'dev', type: 'character-device' }]]],
    [
      'a link that climbs out through another',
      [
        [{ name: 'a/b/up', type: 'symlink', linkname: '../..' }],
        [{ name: 'l', type: 'symlink', linkname: 'a/b/up/..' }],
      ],
    ],
    ['a path of a thousand directories', [[{ name: `${'d/'.repeat(1_000)}f` }, 'x']]],
  ])('refuses %s', async (_what, entries) => {
    await expect(extract(...entries)).rejects.toMatchObject({ name: 'UnsafeArchiveError' });
    expect(existsSync(join(root, '..', 'evil'))).toBe(false);
  });

  it.each([700, 300, 1200])('tells that an archive breaks off after %d bytes', async (length) => {
    await extract([{ name: 'a' }, 'y'.repeat(600)], [{ name: 'b' }, 'x']);
    rmSync(join(root, 'a'));
    writeFileSync(archive, readFileSync(archive).subarray(0, length));
    await expect(extractTar(archive, root)).rejects.toThrow('Unexpected end of data');
  });

  it('never writes through a link, whoever made it', async () => {
    symlinkSync('..', join(root, 'up'));
    await expect(extract([{ name: 'up/evil' }, 'x'])).rejects.toMatchObject({ name: 'UnsafeArchiveError' });
    expect(existsSync(join(root, '..', 'evil'))).toBe(false);
  });

  it('replaces a link at the place of a file', async () => {
    writeFileSync(join(root, '..', 'victim'), 'safe');
    symlinkSync('../victim', join(root, 'file'));
    await extract([{ name: 'file' }, 'new']);
    expect(readFileSync(join(root, '..', 'victim'), 'utf8')).toBe('safe');
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('new');
  });
});
