import type { LogFrame } from '@dstack/agent-protocol';

export const FRAME_HEADER_BYTES = 20;
/** One write of the spool; also the largest frame a reader accepts. */
export const MAX_FRAME_PAYLOAD_BYTES = 256 * 1024;

export interface FrameScan {
  readonly frames: readonly LogFrame[];
  /** Bytes of whole, valid frames. */
  readonly usedBytes: number;
  readonly offset: number;
  /** The next bytes cannot be a frame, however many more follow. */
  readonly corrupt: boolean;
}

/** Whole frames at the start of `bytes`, of which the first begins at `offset`. A frame cut short is left for later. */
export function scanFrames(bytes: Buffer, offset: number): FrameScan {
  const frames: LogFrame[] = [];
  let at = 0;
  let next = offset;
  let corrupt = false;
  while (bytes.length - at >= FRAME_HEADER_BYTES) {
    const length = bytes.readUInt32BE(at);
    const endOffset = Number(bytes.readBigUInt64BE(at + 4));
    if (length === 0 || length > MAX_FRAME_PAYLOAD_BYTES || endOffset !== next + length) {
      corrupt = true;
      break;
    }
    if (bytes.length - at < FRAME_HEADER_BYTES + length) break;
    const payload = bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length);
    frames.push({ endOffset, at: Number(bytes.readBigUInt64BE(at + 12)), payload });
    at += FRAME_HEADER_BYTES + length;
    next = endOffset;
  }
  return { frames, usedBytes: at, offset: next, corrupt };
}
