import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { finishExec } from './exec-channel.js';
import type { ExecOptions, ExecResult, SshConnection } from './ssh-connection.js';
import { SshError } from './ssh-failure.js';

type Start<T> = (resolve: (opened: T | Promise<T>) => void, reject: (error: Error) => void) => void;

/** How ssh2 fails what was under way when the connection broke. */
const LOST = /^(No response from server|Not connected)/;

const FAREWELL_MS = 1_000;

export interface ConnectionParts {
  readonly client: Client;
  /** What the client talks over. */
  readonly socket: Duplex;
  /** For messages. */
  readonly where: string;
  readonly hostKey: string;
  readonly jump: SshConnection | null;
}

/** A connection over an authenticated ssh2 client; owns the client and, behind it, the connection to the jump host. */
export class ClientConnection implements SshConnection {
  readonly closed: Promise<Error | null>;
  private isClosed = false;
  private isLost = false;
  /** What is told to those who wait for a channel. Not by `closed`: that would keep something of each channel as long as the connection lives. */
  private readonly opening = new Set<(error: Error) => void>();
  readonly hostKey: string;
  private readonly client: Client;
  private readonly where: string;

  constructor(private readonly parts: ConnectionParts) {
    const { client, jump, where } = parts;
    this.client = client;
    this.where = where;
    this.hostKey = parts.hostKey;
    let cause: Error | null = null;
    client.on('error', (error) => (cause = error));
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.isLost = true;
        jump?.close();
        const error = this.isClosed
          ? null
          : new SshError('disconnected', `the connection to ${where} broke`, { cause });
        for (const lose of this.opening) lose(this.lossOf(error));
        resolve(error);
      });
    });
  }

  get jumpHostKey(): string | null {
    return this.parts.jump?.hostKey ?? null;
  }

  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    const { signal } = options;
    signal.throwIfAborted();
    let cancel = (): void => undefined;
    // A host that is cut off does not even answer the request for a channel.
    const aborted = new Promise<never>((_resolve, reject) => {
      cancel = () => reject(signal.reason as Error);
      signal.addEventListener('abort', cancel, { once: true });
    });
    const done = this.open<ExecResult>('a command', (resolve, reject) => {
      this.client.exec(command, (error, channel) => {
        // Listening at once: a short command's output and end arrive with the answer to the request.
        if (error === undefined) resolve(finishExec(channel, options));
        else reject(error);
      });
    });
    try {
      return await Promise.race([done, aborted]);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  openTcp(host: string, port: number): Promise<Duplex> {
    return this.open(`${host}:${port}`, (resolve, reject) => {
      this.client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(error);
      });
    });
  }

  openUnix(socketPath: string): Promise<Duplex> {
    return this.open(socketPath, (resolve, reject) => {
      this.client.openssh_forwardOutStreamLocal(socketPath, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(error);
      });
    });
  }

  close(): void {
    if (this.isClosed || this.isLost) return;
    this.isClosed = true;
    this.client.end();
    // A host that is cut off never says goodbye, and its socket would stay for a quarter of an hour. The client leaves alone what it has ended.
    const timer = setTimeout(() => this.parts.socket.destroy(), FAREWELL_MS).unref();
    this.client.once('close', () => clearTimeout(timer));
  }

  private async open<T>(what: string, start: Start<T>): Promise<T> {
    if (this.isLost) throw this.lossOf(await this.closed);
    const opened = new Promise<T>((resolve, reject) => {
      start(resolve, (error) => {
        // Whatever was under way fails a moment before the client says that it is closed: then `lost` tells, with its cause.
        setImmediate(() => {
          if (this.isLost || LOST.test(error.message)) return;
          reject(new SshError('unreachable', `${this.where} cannot open ${what}: ${error.message}`, { cause: error }));
        });
      });
    });
    let lose = (_error: Error): void => undefined;
    const lost = new Promise<never>((_resolve, reject) => (lose = reject));
    this.opening.add(lose);
    try {
      return await Promise.race([opened, lost]);
    } finally {
      this.opening.delete(lose);
    }
  }

  private lossOf(error: Error | null): Error {
    return error ?? new SshError('disconnected', `the connection to ${this.where} was closed`);
  }
}
