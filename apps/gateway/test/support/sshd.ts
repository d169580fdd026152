import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshHop } from '@dstack/gateway-protocol';
import { freePort } from './free-port.js';
import { until } from './until.js';

export interface Sshd {
  readonly hop: SshHop;
  readonly privateKey: string;
  start(): Promise<void>;
  /** With every connection it serves. */
  kill(): Promise<void>;
  remove(): Promise<void>;
}

/** A real sshd on a loopback port: a host that replicas run on. */
export async function startSshd(): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'gw-sshd-'));
  const port = await freePort();
  const config = join(directory, 'sshd_config');
  for (const name of ['host_key', 'id'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)]);
  writeFileSync(join(directory, 'authorized_keys'), readFileSync(join(directory, 'id.pub')));
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${directory}/host_key`,
    `AuthorizedKeysFile ${directory}/authorized_keys`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  let running: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    running = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: 'ignore' });
    await until('sshd listens', () => listens(port));
  };
  const kill = async (): Promise<void> => {
    const child = running;
    running = null;
    if (child?.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (const pid of descendants(child.pid)) killQuietly(pid);
    child.kill('SIGKILL');
    await ended;
  };
  await start();
  const [type = '', blob = ''] = readFileSync(join(directory, 'host_key.pub'), 'utf8').split(' ');
  return {
    hop: { host: '127.0.0.1', port, user: userInfo().username, keyId: 'k1', hostKey: `${type} ${blob}` },
    privateKey: readFileSync(join(directory, 'id'), 'utf8'),
    start,
    kill,
    async remove() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean);
    return children.map(Number).flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return []; // it ended meanwhile
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}
