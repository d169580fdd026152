import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CONTAINER_EXIT, containerCommand, containerCommandWithAgent } from '../src/index.js';

const KEY = `ssh-ed25519 ${'A'.repeat(68)}`;
const RSA = `ssh-rsa ${'B'.repeat(716)}`;
const SHA = 'a'.repeat(64);
const URL_ = 'https://example.com/agent-0.1.0-amd64.tar.gz';
const scriptOf = (command: readonly string[]): string => command[2] ?? '';

describe('the start command of a container', () => {
  it('takes the place of the image’s own with a shell that any image has', () => {
    expect(containerCommand({ url: URL_, sha256: SHA }, [KEY]).slice(0, 2)).toEqual(['/bin/sh', '-c']);
  });

  it.each([
    ['that fetches the agent', containerCommand({ url: URL_, sha256: SHA }, [KEY, RSA])],
    ['that has the agent', containerCommandWithAgent('/opt/agent', [KEY, RSA])],
  ])('%s is POSIX sh, and short enough for those who allow 4048 characters', (_what, command) => {
    expect(spawnSync('sh', ['-n', '-c', scriptOf(command)]).stderr.toString()).toBe('');
    expect(scriptOf(command).length).toBeLessThan(4048 - '/bin/sh'.length - '-c'.length);
  });

  it('holds keys without what people write beside them', () => {
    const script = scriptOf(containerCommand({ url: URL_, sha256: SHA }, [`${KEY} ada's key; rm -rf /`, `${RSA}\n`]));
    expect(script).toContain(`DSTACK_AGENT_AUTHORIZED_KEYS='${KEY}\n${RSA}'`);
    expect(script).not.toContain('ada');
  });

  it('quotes the URL', () => {
    const script = scriptOf(containerCommand({ url: "https://example.com/it's;here", sha256: SHA }, [KEY]));
    expect(script).toContain(`u='https://example.com/it'\\''s;here' `);
  });

  it.each([
    ['options before a key', URL_, SHA, 'command="x" ssh-rsa AAAA'],
    ['no key', URL_, SHA, '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['a checksum of another kind', URL_, 'abc', KEY],
    ['a URL that nobody can fetch', 'file:///agent.tar.gz', SHA, KEY],
  ])('refuses %s', (_what, url, sha256, key) => {
    expect(() => containerCommand({ url, sha256 }, [key])).toThrow(RangeError);
  });
});

const hasImage = (image: string): boolean => {
  try {
    execFileSync('docker', ['image', 'inspect', image], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const BUSYBOX = 'dstack-test/busybox';
const DEBIAN = 'dstack-test/debian';
const isThere = hasImage(BUSYBOX) && hasImage(DEBIAN);
if (!isThere) console.warn('Start commands are not run in containers: no engine, or no test images');

(isThere ? describe : describe.skip)('a container whose agent cannot be started', () => {
  const content = 'no archive';
  const sha256 = createHash('sha256').update(content).digest('hex');
  let server: Server;
  let url = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      response.statusCode = request.url === '/agent' ? 200 : 404;
      response.end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const start = (image: string, archive: { url: string; sha256: string }, ...options: string[]) => {
    const [entry = '', ...args] = containerCommand(archive, [KEY]);
    const child = spawn('docker', ['run', '--rm', ...options, '--entrypoint', entry, image, ...args]);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    return new Promise<{ code: number | null; said: string }>((resolve) => {
      child.on('close', (code) => resolve({ code, said }));
    });
  };
  const here = ['--network', 'host'];

  it.each([
    ['is not where it should be', BUSYBOX, { path: '/nothing', sha256 }, here, CONTAINER_EXIT.noDownload, 'could not be fetched'],
    ['is another one', BUSYBOX, { path: '/agent', sha256: SHA }, here, CONTAINER_EXIT.wrongChecksum, 'not the agent of this server'],
    ['is no archive', BUSYBOX, { path: '/agent', sha256 }, here, CONTAINER_EXIT.noUnpacker, 'could not be unpacked'],
    ['cannot be fetched with anything', DEBIAN, { path: '/agent', sha256 }, ['--network', 'none'], CONTAINER_EXIT.noDownloader, 'neither curl, wget nor python3'],
    ['may not be written', BUSYBOX, { path: '/agent', sha256 }, [...here, '--user', '65534'], CONTAINER_EXIT.notWritable, 'must run as root'],
  ])('that %s says so and ends', async (_what, image, { path, sha256: sum }, options, code, words) => {
    const ended = await start(image, { url: url + path, sha256: sum }, ...options);
    expect(ended).toMatchObject({ code, said: expect.stringContaining(words) as string });
  }, 60_000); // prettier-ignore
});
