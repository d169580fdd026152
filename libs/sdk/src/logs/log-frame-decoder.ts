/** A frame of the log stream: `[u32be payload length][u64be offset after payload][u64be unix ms][payload]`. Without payload it is a heartbeat. */
export interface LogFrame {
  readonly endOffset: number;
  readonly atMs: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 20;
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/** Collects bytes as they arrive and gives whole frames. */
export class LogFrameDecoder {
  private rest: Buffer = Buffer.alloc(0);

  /** @throws {RangeError} when a header announces an absurd length: the bytes are not a log stream. */
  push(bytes: Uint8Array): LogFrame[] {
    this.rest = this.rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.rest, bytes]);
    const frames: LogFrame[] = [];
    let at = 0;
    while (this.rest.length - at >= HEADER_BYTES) {
      const length = this.rest.readUInt32BE(at);
      if (length > MAX_PAYLOAD_BYTES) throw new RangeError(`a log frame of ${length} bytes is no log frame`);
      const end = at + HEADER_BYTES + length;
      if (this.rest.length < end) break;
      frames.push({
        endOffset: Number(this.rest.readBigUInt64BE(at + 4)),
        atMs: Number(this.rest.readBigUInt64BE(at + 12)),
        payload: this.rest.subarray(at + HEADER_BYTES, end),
      });
      at = end;
    }
    this.rest = this.rest.subarray(at);
    return frames;
  }
}
