import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { finishExec } from './exec-channel.js';
import type { ExecOptions, ExecResult, SshConnection } from './ssh-connection.js';
import { SshError } from './ssh-failure.js';

type Start<T> = (resolve: (opened: T | Promise<T>) => void, reject: (error: Error) => void) => void;

/** How ssh2 fails what was under way when the connection broke. */
const LOST = /^(No response from server|Not connected)/;

/** A connection over an authenticated ssh2 client; owns the client and, behind it, the connection to the jump host. */
export class ClientConnection implements SshConnection {
  readonly closed: Promise<Error | null>;
  private isClosed = false;
  private isLost = false;

  constructor(
    private readonly client: Client,
    private readonly where: string,
    readonly hostKey: string,
    private readonly jump: SshConnection | null,
  ) {
    let cause: Error | null = null;
    client.on('error', (error) => (cause = error));
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.isLost = true;
        jump?.close();
        resolve(this.isClosed ? null : new SshError('disconnected', `the connection to ${where} broke`, { cause }));
      });
    });
  }

  get jumpHostKey(): string | null {
    return this.jump?.hostKey ?? null;
  }

  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    options.signal.throwIfAborted();
    return await this.open('a command', (resolve, reject) => {
      this.client.exec(command, (error, channel) => {
        // Listening at once: a short command's output and end arrive with the answer to the request.
        if (error === undefined) resolve(finishExec(channel, options));
        else reject(error);
      });
    });
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
    this.isClosed = true;
    this.client.end();
  }

  private async open<T>(what: string, start: Start<T>): Promise<T> {
    const lost = this.closed.then((error) => {
      throw error ?? new SshError('disconnected', `the connection to ${this.where} was closed`);
    });
    if (this.isLost) return await lost;
    const opened = new Promise<T>((resolve, reject) => {
      start(resolve, (error) => {
        if (LOST.test(error.message)) return; // told by `lost`, with its cause
        reject(new SshError('unreachable', `${this.where} cannot open ${what}: ${error.message}`, { cause: error }));
      });
    });
    return await Promise.race([opened, lost]);
  }
}
