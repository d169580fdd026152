import { closeSync, readFileSync } from 'node:fs';
import * as net from 'node:net';
import { parseArgs } from 'node:util';
import { runSftp } from './sftp/run-sftp.js';

/**
 * The part of the SSH server that acts as the job's user: drops its rights, then becomes a program (`exec`), serves files (`sftp`)
 * or joins a unix socket (`connect`).
 */
export async function runSshChild(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      uid: { type: 'string' },
      gid: { type: 'string' },
      groups: { type: 'string' },
      cwd: { type: 'string', default: '/' },
      home: { type: 'string', default: '/' },
    },
  });
  const [task, ...args] = positionals;
  if (values.uid !== undefined && values.gid !== undefined) {
    dropRights(Number(values.uid), Number(values.gid), (values.groups ?? values.gid).split(',').map(Number));
  }
  enter(values.cwd, values.home);
  switch (task) {
    case 'exec':
      return become(args);
    case 'sftp':
      await runSftp(values.home);
      return 0;
    case 'connect':
      return relay(args[0] ?? '');
    default:
      process.stderr.write(`ssh-child: there is no task ${task ?? ''}\n`);
      return 2;
  }
}

function dropRights(uid: number, gid: number, groups: readonly number[]): void {
  process.setgroups?.([...groups]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/** Now with the user's own rights: a directory root may enter is not enough. */
function enter(...dirs: readonly string[]): void {
  for (const dir of [...dirs, '/']) {
    try {
      process.chdir(dir);
      return;
    } catch {
      // The next one.
    }
  }
}

/** The environment comes by a pipe, as ours was clean on purpose. Never returns when it works. */
function become(args: readonly string[]): number {
  const environment = JSON.parse(readFileSync(3, 'utf8')) as Record<string, string>;
  closeSync(3);
  const [file, ...rest] = args;
  if (file === undefined || process.execve === undefined) return 127;
  process.removeAllListeners('warning');
  return process.execve(file, [file, ...rest], environment);
}

/** One byte says that it is connected; an exit before that, that it is not. */
function relay(path: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = net.connect({ path, allowHalfOpen: true });
    // process.stdout never ends; this does, so that the far side learns when the service has said all.
    const output = new net.Socket({ fd: 1, readable: false, writable: true });
    let connected = false;
    socket.once('connect', () => {
      connected = true;
      output.write('+');
      process.stdin.pipe(socket);
      socket.pipe(output);
    });
    socket.on('error', (error) => {
      process.stderr.write(`${error.message}\n`);
    });
    output.on('error', () => socket.destroy());
    socket.once('close', () => {
      resolve(connected ? 0 : 1);
    });
  });
}
