import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnPty } from '../../src/process/pty.js';
import type { JobLogs, JobSshOptions, RunningJobSsh } from '../../src/ssh/options.js';
import { startJobSshServer } from '../../src/ssh/start-job-ssh-server.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A running SSH server with a directory of its own, and the real OpenSSH clients to use it. */
export class SshFixture {
  private constructor(
    readonly dir: string,
    readonly server: RunningJobSsh,
    private readonly clients: Set<ChildProcess>,
  ) {}

  static async start(overrides: Partial<JobSshOptions> = {}): Promise<SshFixture> {
    const dir = await realpath(await mkdtemp(path.join(tmpdir(), 'job-ssh-')));
    for (const [name, type] of [
      ['id', 'ed25519'],
      ['rsa', 'rsa'],
      ['ecdsa', 'ecdsa'],
      ['stranger', 'ed25519'],
    ] as const) {
      execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', path.join(dir, name)]);
    }
    const keys = await Promise.all(
      ['id', 'rsa', 'ecdsa'].map((name) => readFile(path.join(dir, `${name}.pub`), 'utf8')),
    );
    const server = await startJobSshServer({
      hostKeyFile: path.join(dir, 'keys', 'host'),
      authorizedKeys: keys,
      listen: { host: '127.0.0.1', port: 0 },
      session: {
        env: { PATH: '/job/bin:/usr/bin:/bin', JOB_NAME: 'my job', HOME: dir },
        cwd: dir,
        shell: '/bin/bash',
        home: dir,
      },
      openPty: spawnPty,
      logs: noLogs,
      log: () => undefined,
      childCommand: [process.execPath, MAIN, 'ssh-child'],
      version: '0.0.0',
      now: Date.now,
      ...overrides,
    });
    return new SshFixture(dir, server, new Set());
  }

  options(key = 'id'): string[] {
    const settings = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'IdentitiesOnly=yes',
      'LogLevel=ERROR',
      'BatchMode=yes',
    ];
    return [
      '-F',
      '/dev/null',
      ...settings.flatMap((setting) => ['-o', setting]),
      '-i',
      path.resolve(this.dir, key),
      '-o',
      `Port=${this.server.port}`,
    ];
  }

  /** Runs a client to its end. */
  run(
    program: 'ssh' | 'sftp' | 'scp',
    args: readonly string[],
    input: Buffer | string = '',
    key = 'id',
  ): Promise<Finished> {
    const child = this.open(program, args, key);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() });
      });
    });
  }

  ssh(args: readonly string[], input: Buffer | string = '', key = 'id'): Promise<Finished> {
    return this.run('ssh', args, input, key);
  }

  open(program: 'ssh' | 'sftp' | 'scp', args: readonly string[], key = 'id'): ChildProcess {
    const child = spawn(program, [...this.options(key), ...args], { stdio: 'pipe' });
    this.clients.add(child);
    child.once('exit', () => this.clients.delete(child));
    return child;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.kill('SIGKILL');
    await this.server.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

export const noLogs: JobLogs = {
  async *tail() {
    // A job that says nothing.
  },
};

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** Resolves when something accepts connections on the port. */
export async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port}`);
}
