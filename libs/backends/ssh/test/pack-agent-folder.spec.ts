import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packAgentFolder } from '../src/hosts.js';

describe('the archive of an agent folder', () => {
  let directory: string;
  const signal = AbortSignal.timeout(30_000);
  const makeFolder = (name: string, content = 'x'): string => {
    const folder = join(directory, name);
    mkdirSync(join(folder, 'lib', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'node'), `node ${content}`.repeat(100_000));
    chmodSync(join(folder, 'node'), 0o755);
    writeFileSync(join(folder, 'lib', 'deep', 'libc.so.6'), 'libc');
    writeFileSync(join(folder, 'agent.cjs'), 'agent');
    return folder;
  };
  const packed = (folder: string, cache = 'cache') =>
    packAgentFolder({ folder, cacheDir: join(directory, cache), arch: 'x86', signal });
  const archives = (cache = 'cache'): string[] => readdirSync(join(directory, cache));

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dstack-pack-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('unpacks to the same files, which the manifest in it vouches for', async () => {
    const bundle = await packed(makeFolder('folder'));
    const target = join(directory, 'unpacked');
    mkdirSync(target);
    const path = join(directory, 'cache', archives()[0] ?? '');
    execFileSync('tar', ['-xzf', path, '-C', target]);
    execFileSync('sha256sum', ['--status', '-c', 'MANIFEST'], { cwd: target });
    expect(execFileSync('sha256sum', ['MANIFEST'], { cwd: target }).toString().split(' ')[0]).toBe(bundle.digest);
    expect(readFileSync(join(target, 'lib/deep/libc.so.6'), 'utf8')).toBe('libc');
    expect(statSync(join(target, 'node')).mode & 0o777).toBe(0o555);
    expect(statSync(join(target, 'agent.cjs')).mode & 0o777).toBe(0o444);
    expect(bundle).toMatchObject({ arch: 'x86', sizeBytes: statSync(path).size });
    await expect(text(bundle.open().setEncoding('latin1'))).resolves.toHaveLength(bundle.sizeBytes);
  });

  it('has the same bytes for the same files, and another digest for others', async () => {
    const first = await packed(makeFolder('one'), 'a');
    const second = await packed(makeFolder('two'), 'b');
    const third = await packed(makeFolder('three', 'y'), 'c');
    expect(second.digest).toBe(first.digest);
    expect(third.digest).not.toBe(first.digest);
    const [a, b] = ['a', 'b'].map((cache) => readFileSync(join(directory, cache, archives(cache)[0] ?? '')));
    expect(a?.equals(b ?? Buffer.alloc(0))).toBe(true);
  });

  it('is made once, also when two want it at the same time', async () => {
    const folder = makeFolder('folder');
    const [one, two] = await Promise.all([packed(folder), packed(folder)]);
    expect(one.digest).toBe(two.digest);
    expect(archives()).toHaveLength(1);
    const path = join(directory, 'cache', archives()[0] ?? '');
    const before = statSync(path);
    await packed(folder);
    expect(statSync(path).ino).toBe(before.ino);
  });

  it('removes what an earlier version left, and lets who reads it come to the end', async () => {
    const old = await packed(makeFolder('old'));
    const reading = old.open();
    await new Promise((resolve) => reading.once('open', resolve));
    await packed(makeFolder('young', 'z'));
    expect(archives()).toHaveLength(2);
    const dayOld = new Date(Date.now() - 25 * 3_600_000);
    for (const name of archives()) utimesSync(join(directory, 'cache', name), dayOld, dayOld);
    const current = await packed(makeFolder('new', 'y'));
    expect(archives()).toEqual([`agent-x86-${current.digest}.tar.gz`]);
    await expect(text(reading.setEncoding('latin1'))).resolves.toHaveLength(old.sizeBytes);
  });

  it('leaves nothing half done', async () => {
    const folder = makeFolder('folder');
    const gone = AbortSignal.abort(new Error('no longer wanted'));
    const request = { folder, cacheDir: join(directory, 'cache'), arch: 'x86', signal: gone } as const;
    await expect(packAgentFolder(request)).rejects.toThrow();
    mkdirSync(join(directory, 'cache'), { recursive: true });
    expect(archives()).toEqual([]);
    await expect(packed(join(directory, 'not-there'))).rejects.toThrow('not-there');
  });
});
