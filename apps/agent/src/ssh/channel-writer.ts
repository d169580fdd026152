import type { ServerChannel } from 'ssh2';

/**
 * Writes to a channel's two streams one piece at a time. ssh2 keeps one waiting piece per stream and does not forget it once
 * it is sent: with both streams waiting for the client's window it sends a piece twice or waits for ever.
 */
export class ChannelWriter {
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;
  private readonly whenClosed: Promise<void>;

  constructor(private readonly channel: ServerChannel) {
    this.whenClosed = new Promise((resolve) => {
      channel.once('close', () => {
        this.closed = true;
        resolve();
      });
    });
  }

  /** Resolves when the client's window took it, or the channel is gone. */
  write(bytes: Uint8Array, stream: 'out' | 'err' = 'out'): Promise<void> {
    const turn = this.last.then(() => this.writeNow(bytes, stream));
    this.last = turn;
    return turn;
  }

  /** Copies all of `source`, pausing it while the client does not read. A source that breaks has ended. */
  async copy(source: AsyncIterable<unknown>, stream: 'out' | 'err' = 'out'): Promise<void> {
    try {
      for await (const chunk of source) {
        if (this.closed) return;
        await this.write(chunk as Uint8Array, stream);
      }
    } catch {
      // EIO of a terminal, or a pipe destroyed by its owner.
    }
  }

  private async writeNow(bytes: Uint8Array, stream: 'out' | 'err'): Promise<void> {
    if (this.closed) return;
    const target = stream === 'out' ? this.channel : this.channel.stderr;
    const written = new Promise<void>((resolve) => {
      target.write(bytes, () => {
        resolve();
      });
    });
    await Promise.race([written, this.whenClosed]);
    for (const kept of ['_chunk', '_chunkcb', '_chunkErr', '_chunkcbErr']) Reflect.set(this.channel, kept, undefined);
  }
}
