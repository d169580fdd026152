import { freePort } from '@dstack/e2e/free-port';
import { until } from '@dstack/e2e/until';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshTarget } from '@dstack/ssh';
import { cpuOf } from '../process-usage.js';

const PROGRAM = '/usr/sbin/sshd';

export const hasSshd = existsSync(PROGRAM);

/** A real sshd on loopback that takes as many connections as come, for the user who runs the bench. */
export class BenchSshd {
  private readonly directory = mkdtempSync(join(tmpdir(), 'dstack-bench-sshd-'));
  private running: ChildProcess | null = null;

  private constructor(private readonly port: number) {}

  static async start(): Promise<BenchSshd> {
    const sshd = new BenchSshd(await freePort());
    sshd.configure();
    await sshd.listen();
    return sshd;
  }

  get target(): SshTarget {
    return {
      host: '127.0.0.1',
      port: this.port,
      user: userInfo().username,
      privateKeys: [readFileSync(join(this.directory, 'id'), 'utf8')],
      pinnedHostKey: null,
      jump: null,
    };
  }

  /** CPU milliseconds of the listener and of all sessions so far, those that ended too. */
  cpuMs(): number {
    const pid = this.running?.pid;
    if (pid === undefined) return 0;
    const listener = cpuOf(pid);
    return [...descendants(pid)].reduce((sum, each) => sum + cpuQuietly(each), listener.own + listener.children);
  }

  async listen(): Promise<void> {
    this.running = spawn(PROGRAM, ['-D', '-e', '-f', join(this.directory, 'sshd_config')], { stdio: 'ignore' });
    await until('sshd to listen', () => answers(this.port));
  }

  /** It and every session, at once, as when the host goes down. */
  async kill(): Promise<void> {
    const child = this.running;
    this.running = null;
    if (child?.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const sessions = [...descendants(child.pid)];
    child.kill('SIGKILL');
    for (const pid of sessions) killQuietly(pid);
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private configure(): void {
    const { directory } = this;
    for (const name of ['host_key', 'id'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)]);
    writeFileSync(join(directory, 'authorized_keys'), readFileSync(join(directory, 'id.pub')));
    writeFileSync(
      join(directory, 'sshd_config'),
      [
        `Port ${this.port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${directory}/host_key`,
        `AuthorizedKeysFile ${directory}/authorized_keys`,
        `PidFile ${directory}/sshd.pid`,
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'PrintMotd no',
        'MaxStartups 10000',
        'MaxSessions 10000',
        'LoginGraceTime 300',
        'LogLevel QUIET',
        '',
      ].join('\n'),
    );
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function* descendants(pid: number): Generator<number> {
  for (const child of childrenOf(pid)) {
    yield child;
    yield* descendants(child);
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return []; // it ended meanwhile
  }
}

function cpuQuietly(pid: number): number {
  try {
    const { own, children } = cpuOf(pid);
    return own + children;
  } catch {
    return 0; // it ended meanwhile, and its parent has its time
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}
