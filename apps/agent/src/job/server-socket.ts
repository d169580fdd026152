import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import * as net from 'node:net';
import { dirname } from 'node:path';

/** A server that is away (restarted, or cut off) is waited for this long. */
const HOLD_MS = 30_000;
/** Connections that nobody has taken yet; more than these are refused. */
const MOST_WAITING = 128;

interface Taker {
  readonly take: (connection: net.Socket) => void;
  readonly leave: () => void;
}

/** The unix socket by which a job reaches the server: its connections wait here until the server takes them, one by one. */
export class ServerSocket {
  private readonly waiting: net.Socket[] = [];
  private readonly takers: Taker[] = [];
  private readonly listener: net.Server;

  private constructor(private readonly path: string) {
    this.listener = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (connection) => {
      this.offer(connection);
    });
  }

  /** In a directory of its own, which belongs to the job's user. */
  static async listen(
    path: string,
    owner: { readonly uid: number; readonly gid: number } | undefined,
    isShared: boolean,
  ): Promise<ServerSocket> {
    const directory = dirname(path);
    // On a host only the job's user may come in; in a container everybody is the job.
    await mkdir(directory, { recursive: isShared, mode: isShared ? 0o755 : 0o700 });
    if (owner !== undefined && !isShared) await chown(directory, owner.uid, owner.gid);
    await rm(path, { force: true });
    const socket = new ServerSocket(path);
    await new Promise<void>((resolve, reject) => {
      socket.listener.once('error', reject);
      socket.listener.listen(path, resolve);
    });
    await chmod(path, 0o666);
    return socket;
  }

  /** The oldest connection that waits, or the next one. Rejects when `signal` aborts, and when there will be no more. */
  accept(signal: AbortSignal): Promise<net.Socket> {
    if (signal.aborted) return Promise.reject(new Error('the server does not wait any more'));
    const oldest = this.waiting.shift();
    if (oldest !== undefined) return Promise.resolve(oldest);
    return new Promise((resolve, reject) => {
      const taker: Taker = {
        take: (connection) => {
          signal.removeEventListener('abort', taker.leave);
          resolve(connection);
        },
        leave: () => {
          this.takers.splice(this.takers.indexOf(taker), 1);
          signal.removeEventListener('abort', taker.leave);
          reject(new Error('there will be no connection'));
        },
      };
      this.takers.push(taker);
      signal.addEventListener('abort', taker.leave, { once: true });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.listener.close(resolve));
    for (const connection of this.waiting.splice(0)) connection.destroy();
    for (const taker of [...this.takers]) taker.leave();
    await closed;
    await rm(this.path, { force: true });
  }

  private offer(connection: net.Socket): void {
    connection.on('error', () => connection.destroy());
    const taker = this.takers.shift();
    if (taker !== undefined) return taker.take(connection);
    if (this.waiting.length >= MOST_WAITING) return void connection.destroy();
    this.waiting.push(connection);
    const timer = setTimeout(() => {
      if (this.waiting.includes(connection)) connection.destroy();
    }, HOLD_MS);
    connection.once('close', () => {
      clearTimeout(timer);
      const at = this.waiting.indexOf(connection);
      if (at >= 0) this.waiting.splice(at, 1);
    });
  }
}
