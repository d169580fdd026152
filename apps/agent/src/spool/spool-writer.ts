import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { encodeLogFrameHeader, type LogStream } from '@dstack/agent-protocol';
import { whenDiskHasRoom } from '../files/when-disk-has-room.js';
import { MAX_FRAME_PAYLOAD_BYTES } from './frame-scan.js';
import { ackPath, segmentPath } from './segment-files.js';
import { findSpoolEnd } from './spool-end.js';
import { WakeSignal } from './wake-signal.js';

export interface SpoolOptions {
  readonly dir: string;
  readonly stream: LogStream;
  readonly now: () => number;
  /** Unacknowledged bytes above which the source is paused. */
  readonly maxBytes: number;
  /** How long the source stays paused before its output is dropped instead. 0: never paused. */
  readonly dropAfterMs: number;
  readonly segmentBytes?: number;
  /** How often a full spool looks for acknowledgements. */
  readonly ackPollMs?: number;
}

export const DEFAULT_SPOOL_MAX_BYTES = 1024 ** 3;
export const DEFAULT_DROP_AFTER_MS = 24 * 3600 * 1000;
const DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;
/** As many as one system call takes. */
const MOST_PARTS = 1024;
/** Held in memory beyond what is on disk; above it the source must pause. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/** The one writer of a stream's spool. Reads acknowledgements from the file its readers write, so either side may die alone. */
export class SpoolWriter {
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private droppedBytes = 0;
  private fullSince: number | undefined;
  private bounded = true;
  private acknowledged = 0;
  private readonly work = new WakeSignal();
  private readonly drain = new WakeSignal();
  private closing = false;
  private failure: Error | undefined;
  private readonly finished: Promise<void>;

  private constructor(
    private readonly options: SpoolOptions,
    private file: FileHandle,
    private fileBytes: number,
    private offset: number,
  ) {
    this.finished = this.run().catch((error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
      this.queue = [];
      this.queuedBytes = 0;
      this.drain.wake();
    });
  }

  static async open(options: SpoolOptions): Promise<SpoolWriter> {
    const end = await findSpoolEnd(options.dir, options.stream);
    if (end.segment === undefined) {
      const file = await createSegment(segmentPath(options.dir, options.stream, 0));
      return new SpoolWriter(options, file, 0, 0);
    }
    const file = await open(end.segment.path, constants.O_RDWR | constants.O_NOFOLLOW);
    await file.truncate(end.segment.validBytes);
    return new SpoolWriter(options, file, end.segment.validBytes, end.offset);
  }

  /** Where the next byte goes, once all that was appended is written. */
  get endOffset(): number {
    return this.offset;
  }

  /** False: the source should pause until {@link drained}. */
  append(bytes: Buffer): boolean {
    if (this.failure !== undefined || this.closing || bytes.length === 0) return true;
    this.queue.push(bytes);
    this.queuedBytes += bytes.length;
    this.work.wake();
    return this.queuedBytes < MAX_QUEUED_BYTES;
  }

  async drained(): Promise<void> {
    while (this.queuedBytes >= MAX_QUEUED_BYTES && this.failure === undefined) await this.drain.wait(1000);
  }

  /** The source has ended: what it still had is little, and must not wait for a server that may be away for hours. */
  liftBound(): void {
    this.bounded = false;
    this.work.wake();
  }

  /** Everything appended is on disk when this resolves. */
  async close(): Promise<number> {
    this.liftBound();
    this.closing = true;
    this.work.wake();
    await this.finished;
    await this.file.close().catch(() => undefined);
    if (this.failure !== undefined) throw this.failure;
    return this.offset;
  }

  async flush(): Promise<void> {
    while (this.queuedBytes > 0 && this.failure === undefined) await this.drain.wait(1000);
    if (this.failure !== undefined) throw this.failure;
  }

  private async run(): Promise<void> {
    for (;;) {
      if (this.queuedBytes === 0) {
        if (this.closing) {
          await this.tellDropped();
          return;
        }
        await this.work.wait(60_000);
        continue;
      }
      if (await this.hasRoom()) {
        await this.tellDropped();
        await this.writeWaiting();
      } else if (this.mayDrop()) {
        this.droppedBytes += this.queuedBytes;
        this.queue = [];
        this.queuedBytes = 0;
      } else {
        await this.work.wait(this.options.ackPollMs ?? 200);
        continue;
      }
      this.drain.wake();
    }
  }

  private async hasRoom(): Promise<boolean> {
    const { maxBytes, now } = this.options;
    if (!this.bounded || this.offset - this.acknowledged < maxBytes) return true;
    this.acknowledged = Math.max(this.acknowledged, await this.readAcknowledged());
    if (this.offset - this.acknowledged < maxBytes) {
      this.fullSince = undefined;
      return true;
    }
    this.fullSince ??= now();
    return false;
  }

  private mayDrop(): boolean {
    return this.fullSince !== undefined && this.options.now() - this.fullSince >= this.options.dropAfterMs;
  }

  private async readAcknowledged(): Promise<number> {
    const text = await readFile(ackPath(this.options.dir, this.options.stream), 'utf8').catch(() => '0');
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : 0;
  }

  private async tellDropped(): Promise<void> {
    if (this.droppedBytes === 0) return;
    const line = `\r\n… ${this.droppedBytes} bytes dropped: the server did not take them in time …\r\n`;
    this.droppedBytes = 0;
    await this.write([[Buffer.from(line)]]);
  }

  /** The payload of the next frame, in the pieces it came in. */
  private takeBatch(): Buffer[] {
    const taken: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const head = this.queue[0];
      if (head === undefined || bytes === MAX_FRAME_PAYLOAD_BYTES) break;
      const space = MAX_FRAME_PAYLOAD_BYTES - bytes;
      if (head.length <= space) {
        this.queue.shift();
        taken.push(head);
        bytes += head.length;
      } else {
        taken.push(head.subarray(0, space));
        this.queue[0] = head.subarray(space);
        bytes += space;
      }
    }
    return taken;
  }

  /** All that waits, in one write: on a disk that is slow to take it, each costs the same however much it is. */
  private async writeWaiting(): Promise<void> {
    const payloads: Buffer[][] = [];
    while (this.queue.length > 0) payloads.push(this.takeBatch());
    await this.write(payloads);
  }

  private async write(payloads: readonly (readonly Buffer[])[]): Promise<void> {
    if (this.fileBytes >= (this.options.segmentBytes ?? DEFAULT_SEGMENT_BYTES)) await this.rotate();
    let endOffset = this.offset;
    const frames = payloads.flatMap((payload) => {
      const payloadBytes = totalLength(payload);
      endOffset += payloadBytes;
      return [encodeLogFrameHeader({ endOffset, at: this.options.now(), payloadBytes }), ...payload];
    });
    await this.writeAll(frames);
    this.offset = endOffset;
    this.queuedBytes = totalLength(this.queue);
  }

  private async writeAll(parts: readonly Buffer[]): Promise<void> {
    for (let from = 0; from < parts.length; from += MOST_PARTS) {
      const some = parts.slice(from, from + MOST_PARTS);
      const bytes = totalLength(some);
      let written = await whenDiskHasRoom(async () => (await this.file.writev(some, this.fileBytes)).bytesWritten);
      // Seldom: the rest of what was written in part.
      const whole = written < bytes ? Buffer.concat(some) : null;
      while (whole !== null && written < bytes) {
        const at = written;
        const { bytesWritten } = await whenDiskHasRoom(() =>
          this.file.write(whole, at, bytes - at, this.fileBytes + at),
        );
        written += bytesWritten;
      }
      this.fileBytes += bytes;
    }
  }

  private async rotate(): Promise<void> {
    const path = segmentPath(this.options.dir, this.options.stream, this.offset);
    const next = await whenDiskHasRoom(() => createSegment(path));
    await this.file.close();
    this.file = next;
    this.fileBytes = 0;
  }
}

function createSegment(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

function totalLength(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
