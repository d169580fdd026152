import type { Duplex } from 'node:stream';

/** So much is taken in of a request before there is somebody to give it to. */
const MOST = 64 * 1024;

/** Listens to a connection that has no other end yet: keeps what comes, and notices when it goes. */
export class EarlyBytes {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private readonly left = new AbortController();
  /** Aborted when who asks has gone. */
  readonly gone: AbortSignal = this.left.signal;

  constructor(private readonly stream: Duplex) {
    stream.on('data', this.keep).once('end', this.leave).once('close', this.leave).once('error', this.leave);
  }

  /** Listens no more. Gives what has come; the stream stands still until somebody reads it. */
  take(): Buffer {
    const { stream } = this;
    stream.pause();
    stream.off('data', this.keep).off('end', this.leave).off('close', this.leave).off('error', this.leave);
    return Buffer.concat(this.chunks);
  }

  private readonly keep = (chunk: Buffer): void => {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size >= MOST) this.stream.pause();
  };

  private readonly leave = (): void => this.left.abort(new Error('the client has gone'));
}
