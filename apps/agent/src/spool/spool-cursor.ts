import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { LogFrame, LogStream } from '@dstack/agent-protocol';
import { FRAME_HEADER_BYTES, MAX_FRAME_PAYLOAD_BYTES, scanFrames } from './frame-scan.js';
import { listSegments, type SegmentFile } from './segment-files.js';

/** Reads a stream's frames in order, over segment boundaries, while another process may still be appending. */
export class SpoolCursor {
  private file: FileHandle | undefined;
  private segment: SegmentFile | undefined;
  private filePosition = 0;
  private offset = 0;
  private readonly buffer = Buffer.allocUnsafe(2 * (FRAME_HEADER_BYTES + MAX_FRAME_PAYLOAD_BYTES));

  constructor(
    private readonly dir: string,
    private readonly stream: LogStream,
    /** Bytes before it are not given; those trimmed already are passed over. */
    private readonly from: number,
  ) {}

  /** Frames that can be read now; empty when the writer has to add more first. */
  async next(): Promise<LogFrame[]> {
    for (;;) {
      if (this.file === undefined && !(await this.openNext())) return [];
      const file = this.file;
      if (file === undefined) return [];
      const { bytesRead } = await file.read(this.buffer, 0, this.buffer.length, this.filePosition);
      const scan = scanFrames(this.buffer.subarray(0, bytesRead), this.offset);
      this.filePosition += scan.usedBytes;
      this.offset = scan.offset;
      const frames = scan.frames.flatMap((frame) => after(frame, this.from));
      if (frames.length > 0) return frames.map((frame) => ({ ...frame, payload: Buffer.from(frame.payload) }));
      if (scan.usedBytes === 0 && !(await this.openNext())) return [];
    }
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = undefined;
  }

  private async openNext(): Promise<boolean> {
    const segments = await listSegments(this.dir, this.stream);
    const current = this.segment;
    const next =
      current === undefined
        ? (segments.findLast((segment) => segment.startOffset <= this.from) ?? segments[0])
        : segments.find((segment) => segment.startOffset > current.startOffset);
    if (next === undefined) return false;
    // The next segment appears after the last byte of this one: what came between our read and our look is read first.
    if (current !== undefined && next.startOffset !== this.offset && (await this.hasMore())) return true;
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const file = await open(next.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    await this.file?.close();
    this.file = file;
    this.segment = next;
    this.filePosition = 0;
    this.offset = next.startOffset;
    return true;
  }

  private async hasMore(): Promise<boolean> {
    const file = this.file;
    if (file === undefined) return false;
    const { bytesRead } = await file.read(this.buffer, 0, this.buffer.length, this.filePosition);
    return scanFrames(this.buffer.subarray(0, bytesRead), this.offset).usedBytes > 0;
  }
}

function after(frame: LogFrame, from: number): LogFrame[] {
  if (frame.endOffset <= from) return [];
  const start = frame.endOffset - frame.payload.length;
  return start >= from ? [frame] : [{ ...frame, payload: frame.payload.subarray(from - start) }];
}
