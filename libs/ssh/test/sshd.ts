import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SshTarget } from '../src/ssh-target.js';

const PROGRAM = '/usr/sbin/sshd';

/** Without OpenSSH's server there is nothing to test against. */
export const hasSshd = existsSync(PROGRAM);

export interface Sshd {
  readonly directory: string;
  readonly target: SshTarget;
  start(): Promise<void>;
  /** With every connection it serves. */
  kill(): Promise<void>;
  /** It and its connections answer nothing any more, as when the host is cut off. */
  freeze(): void;
  replaceHostKey(): void;
  remove(): Promise<void>;
}

/** A real sshd on a loopback port, for the user who runs the tests. */
export async function startSshd(...moreConfig: string[]): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'dstack-sshd-'));
  const port = await freePort();
  const config = join(directory, 'sshd_config');
  writeFileSync(
    config,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${directory}/host_key`,
      `AuthorizedKeysFile ${directory}/authorized_keys`,
      `PidFile ${directory}/sshd.pid`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'MaxAuthTries 6',
      ...moreConfig,
      '',
    ].join('\n'),
  );
  mkdirSync(join(directory, 'home'));
  makeKey(join(directory, 'host_key'));
  makeKey(join(directory, 'id'));
  writeFileSync(join(directory, 'authorized_keys'), readFileSync(join(directory, 'id.pub')));
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  let running: ChildProcess | null = null;
  const sshd: Sshd = {
    directory,
    target: {
      host: '127.0.0.1',
      port,
      user: userInfo().username,
      privateKeys: [readFileSync(join(directory, 'id'), 'utf8')],
      pinnedHostKey: null,
      jump: null,
    },
    async start() {
      running = startProgram(config, join(directory, 'home'));
      await untilListening(port);
    },
    freeze() {
      const { pid } = running ?? {};
      if (pid === undefined) return;
      signalQuietly(pid, 'SIGSTOP'); // it starts no others from here on
      for (const each of descendants(pid)) signalQuietly(each, 'SIGSTOP');
    },
    async kill() {
      const child = running;
      running = null;
      if (child?.pid === undefined) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      for (const pid of descendants(child.pid)) signalQuietly(pid, 'SIGKILL');
      signalQuietly(child.pid, 'SIGKILL');
      await ended;
    },
    replaceHostKey() {
      rmSync(join(directory, 'host_key'));
      makeKey(join(directory, 'host_key'));
    },
    async remove() {
      await sshd.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await sshd.start();
  return sshd;
}

/**
 * As root with an empty home of its own: bash reads the user's ~/.bashrc for every command that comes over SSH, and what stands
 * there is no part of these tests.
 */
function startProgram(config: string, home: string): ChildProcess {
  const asRoot = process.getuid?.() === 0;
  const [program, ...args] = asRoot
    ? [
        'unshare',
        '--mount',
        'sh',
        '-c',
        'mount --bind "$1" "$2" && exec "$3" -D -e -f "$4"',
        'sh',
        home,
        userInfo().homedir,
        PROGRAM,
        config,
      ]
    : [PROGRAM, '-D', '-e', '-f', config];
  return spawn(program ?? PROGRAM, args, { stdio: 'ignore', detached: true });
}

export function makeKey(path: string, passphrase = ''): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', path]);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (answers) return;
    await sleep(25);
  }
  throw new Error('sshd does not listen');
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return []; // it ended meanwhile
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it ended by itself
  }
}
