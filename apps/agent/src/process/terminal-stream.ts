import { readSync } from 'node:fs';
import * as tty from 'node:tty';

/** The kernel gives 4 KiB of a terminal's output at a time, however much there is. */
const FULL_READ_BYTES = 2048;
const MOST_BYTES = 128 * 1024;
const scratch = Buffer.allocUnsafe(MOST_BYTES);

/** Output of a terminal in chunks of what there is, not in kernel pieces: each piece would be written, read and sent on its own. */
export class TerminalStream extends tty.ReadStream {
  constructor(private readonly master: number) {
    super(master);
  }

  /** Node calls it with what it has read. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const isFull = Buffer.isBuffer(chunk) && chunk.length >= FULL_READ_BYTES;
    return super.push(isFull ? Buffer.concat([chunk, readOn(this.master)]) : chunk, encoding);
  }
}

function readOn(fd: number): Buffer {
  let length = 0;
  while (length < MOST_BYTES) {
    try {
      const bytes = readSync(fd, scratch, length, MOST_BYTES - length, null);
      if (bytes === 0) break;
      length += bytes;
    } catch {
      break; // EAGAIN: nothing more now. Anything else is what Node's own next read meets, and tells.
    }
  }
  return scratch.subarray(0, length);
}
