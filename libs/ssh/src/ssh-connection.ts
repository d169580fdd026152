import type { Duplex } from 'node:stream';

export interface ExecOptions {
  readonly signal: AbortSignal;
  /** Written, then ended. */
  readonly stdin?: NodeJS.ReadableStream | string;
}

export interface ExecResult {
  /** Null when a signal ended the command. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One authenticated connection to one host; everything travels as channels of it. */
export interface SshConnection {
  /** `<type> <base64>`: what to pin. */
  readonly hostKey: string;
  /** Of the jump host, when there is one. */
  readonly jumpHostKey: string | null;
  /** Resolves once, when the connection is gone; null after `close`. */
  readonly closed: Promise<Error | null>;
  /** Output beyond 1 MiB a stream is cut. */
  exec(command: string, options: ExecOptions): Promise<ExecResult>;
  /** @throws {SshError} `unreachable` when nothing listens there, as seen from the host. */
  openTcp(host: string, port: number): Promise<Duplex>;
  /** A unix socket of the host (`direct-streamlocal@openssh.com`). @throws {SshError} */
  openUnix(socketPath: string): Promise<Duplex>;
  close(): void;
}
