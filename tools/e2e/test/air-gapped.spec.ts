import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outsideAddresses } from '../src/air-gap/outside-addresses.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { node, repositoryRoot } from '../src/programs.js';

const why = !isFullRun ? OF_FULL_RUN : process.getuid?.() !== 0 ? 'it needs root' : !existsSync('/usr/bin/strace') ? 'strace is not installed' : null; // prettier-ignore
if (why !== null && isFullRun) console.warn(`The story of a machine without a network is left out: ${why}`);

it('tells calls to other machines from calls to this one', () => {
  const trace = [
    '1 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
    '1 connect(3, {sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = 0',
    '2 connect(4, {sa_family=AF_UNIX, sun_path="/run/docker.sock"}, 110) = 0',
    '2 connect(5, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, 16) = -1 ENETUNREACH',
    '2 connect(5, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, 16) = -1 ENETUNREACH',
    '3 sendto(6, "x", 1, 0, {sa_family=AF_INET6, inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = -1 ENETUNREACH',
  ];
  expect(outsideAddresses(trace.join('\n'))).toEqual(['10.0.0.2', '2001:db8::1']);
});

(why === null ? describe : describe.skip)('server, command line and agent on a machine without a network', () => {
  const work = mkdtempSync(join(tmpdir(), 'dstack-air-gap-'));
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  const cutOff = (program: string, ...args: string[]) => {
    const trace = join(work, 'trace');
    const strace = ['strace', '-f', '-qq', '-e', 'trace=connect,sendto,sendmsg,sendmmsg', '-s', '0', '-o', trace];
    const command = ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...strace, program, ...args];
    const { status, stdout, stderr } = spawnSync('unshare', command, { encoding: 'utf8', cwd: repositoryRoot });
    return { status, output: stdout + stderr, tried: outsideAddresses(readFileSync(trace, 'utf8')) };
  };

  it('run a task, and try to reach nobody', () => {
    const { status, output, tried } = cutOff(node, 'tools/e2e/dist/air-gap/story.js');
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('quite alone') as string });
    expect(tried).toEqual([]);
  }, 180_000);

  it('are watched by what would see an attempt', () => {
    const { tried } = cutOff(node, '-e', 'fetch("http://192.0.2.1/").catch(() => 0)');
    expect(tried).toEqual(['192.0.2.1']);
  });
});
