import { chownSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TerminalStream } from './terminal-stream.js';

export interface PtyOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly cols: number;
  readonly rows: number;
  /** Unset: the identity of this process. */
  readonly identity?: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
}

export interface ExitStatus {
  readonly code: number;
  readonly signal: number;
}

/** A process that leads its own session, with a terminal of its own. */
export interface PtyProcess {
  readonly pid: number;
  /** Output as it comes; pausing it slows the process down. Ends when the last holder of the terminal has gone. */
  readonly output: NodeJS.ReadableStream;
  readonly exited: Promise<ExitStatus>;
  /** All output was given. */
  readonly ended: Promise<void>;
  write(bytes: Uint8Array): void;
  resize(cols: number, rows: number): void;
  /** Stops reading; what still holds the terminal gets a hang-up. */
  close(): void;
}

interface NativePty {
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (code: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number; readonly pty: string };
  resize(fd: number, cols: number, rows: number): void;
}

let native: NativePty | undefined;

/** The add-on lies beside the bundle in the agent's folder, and in its platform's package in a checkout. */
function loadNative(): NativePty {
  if (native === undefined) {
    const require = createRequire(import.meta.url);
    const beside = join(dirname(fileURLToPath(import.meta.url)), 'pty.node');
    const path = existsSync(beside) ? beside : `@lydell/node-pty-${process.platform}-${process.arch}/pty.node`;
    native = (existsSync(beside) ? require(path) : requireOptional(require, path)) as NativePty;
  }
  return native;
}

/** The platform's package is a dependency of `@lydell/node-pty`, not of ours. */
function requireOptional(require: NodeJS.Require, path: string): unknown {
  return createRequire(require.resolve('@lydell/node-pty'))(path);
}

export function spawnPty(options: PtyOptions): PtyProcess {
  const pty = loadNative();
  let onExit: (status: ExitStatus) => void = () => undefined;
  const exited = new Promise<ExitStatus>((resolve) => {
    onExit = resolve;
  });
  const env = Object.entries(options.env).map(([name, value]) => `${name}=${value}`);
  const { identity } = options;
  const child = withGroups(identity?.groups, () =>
    pty.fork(
      options.file,
      options.args,
      env,
      options.cwd,
      options.cols,
      options.rows,
      identity?.uid ?? -1,
      identity?.gid ?? -1,
      true,
      '',
      (code, signal) => {
        onExit({ code, signal });
      },
    ),
  );
  // Without this `> /dev/stderr` fails: it opens the terminal anew, by its name.
  if (identity !== undefined) chownQuietly(child.pty, identity.uid);

  const socket = new TerminalStream(child.fd);
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve();
    });
    // EIO is how Linux says that nobody holds the other end any more.
    socket.on('error', () => {
      socket.destroy();
    });
  });
  return {
    pid: child.pid,
    output: socket,
    exited,
    ended,
    write: (bytes) => {
      if (!socket.destroyed) (socket as unknown as NodeJS.WritableStream).write(bytes as Buffer);
    },
    resize: (cols, rows) => {
      if (!socket.destroyed) pty.resize(child.fd, Math.max(1, cols), Math.max(1, rows));
    },
    close: () => {
      socket.destroy();
    },
  };
}

/** The child inherits our supplementary groups: they are the job's for the moment of the fork. */
function withGroups<T>(groups: readonly number[] | undefined, fork: () => T): T {
  if (groups === undefined || process.getuid?.() !== 0 || !process.getgroups || !process.setgroups) return fork();
  const ours = process.getgroups();
  try {
    process.setgroups([...groups]);
  } catch {
    // Without CAP_SETGID there are no groups to give away either.
    return fork();
  }
  try {
    return fork();
  } finally {
    process.setgroups(ours);
  }
}

function chownQuietly(path: string, uid: number): void {
  try {
    chownSync(path, uid, 0);
  } catch {
    // No CAP_CHOWN: the job keeps a terminal it can use but not reopen.
  }
}
