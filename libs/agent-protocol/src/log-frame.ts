/**
 * Binary frame of a log stream: `[u32be payload length][u64be end offset][u64be unix ms][payload]`.
 * The end offset is the stream's length after this payload; offsets have no gaps (dropped output is told by a line in the payload).
 * A frame with no payload is a heartbeat.
 */
export interface LogFrame {
  readonly endOffset: number;
  readonly at: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 20;

export function encodeLogFrame(frame: LogFrame): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + frame.payload.length);
  out.writeUInt32BE(frame.payload.length, 0);
  out.writeBigUInt64BE(BigInt(frame.endOffset), 4);
  out.writeBigUInt64BE(BigInt(frame.at), 12);
  out.set(frame.payload, HEADER_BYTES);
  return out;
}

/** Collects bytes as they arrive and gives whole frames. @throws {RangeError} when a header announces more than `maxPayloadBytes`. */
export class LogFrameDecoder {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly maxPayloadBytes = 16 * 1024 * 1024) {}

  push(bytes: Uint8Array): LogFrame[] {
    this.rest = this.rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.rest, bytes]);
    const frames: LogFrame[] = [];
    let at = 0;
    while (this.rest.length - at >= HEADER_BYTES) {
      const length = this.rest.readUInt32BE(at);
      if (length > this.maxPayloadBytes)
        throw new RangeError(`log frame of ${length} bytes is over ${this.maxPayloadBytes}`);
      if (this.rest.length - at < HEADER_BYTES + length) break;
      frames.push({
        endOffset: Number(this.rest.readBigUInt64BE(at + 4)),
        at: Number(this.rest.readBigUInt64BE(at + 12)),
        payload: this.rest.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length),
      });
      at += HEADER_BYTES + length;
    }
    this.rest = this.rest.subarray(at);
    return frames;
  }
}
