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

export function encodeLogFrame({ endOffset, at, payload }: LogFrame): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  writeHeader(out, { endOffset, at, payloadBytes: payload.length });
  out.set(payload, HEADER_BYTES);
  return out;
}

interface Header {
  readonly endOffset: number;
  readonly at: number;
  readonly payloadBytes: number;
}

/** For who writes the payload after it without joining the two. */
export function encodeLogFrameHeader(header: Header): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES);
  writeHeader(out, header);
  return out;
}

function writeHeader(out: Buffer, { endOffset, at, payloadBytes }: Header): void {
  out.writeUInt32BE(payloadBytes, 0);
  out.writeBigUInt64BE(BigInt(endOffset), 4);
  out.writeBigUInt64BE(BigInt(at), 12);
}

/**
 * Gives frames as their bytes arrive. A frame that comes in several pieces is given as several, each with the offset where it ends:
 * to collect it would be to copy every byte again. Payloads are views of the bytes that were pushed.
 * @throws {RangeError} when a header announces more than `maxPayloadBytes`.
 */
export class LogFrameDecoder {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerLength = 0;
  /** Of the payload under way. */
  private missing = 0;

  constructor(private readonly maxPayloadBytes = 16 * 1024 * 1024) {}

  push(bytes: Uint8Array): LogFrame[] {
    const frames: LogFrame[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.missing === 0) {
        at += this.takeHeader(bytes.subarray(at));
        if (this.headerLength < HEADER_BYTES) break;
        this.missing = this.payloadLength();
        if (this.missing > 0) continue;
      }
      const payload = bytes.subarray(at, at + this.missing);
      at += payload.length;
      this.missing -= payload.length;
      frames.push(this.piece(payload));
      if (this.missing === 0) this.headerLength = 0;
    }
    return frames;
  }

  private takeHeader(bytes: Uint8Array): number {
    const some = bytes.subarray(0, HEADER_BYTES - this.headerLength);
    this.header.set(some, this.headerLength);
    this.headerLength += some.length;
    return some.length;
  }

  private payloadLength(): number {
    const length = this.header.readUInt32BE(0);
    if (length > this.maxPayloadBytes)
      throw new RangeError(`log frame of ${length} bytes is over ${this.maxPayloadBytes}`);
    return length;
  }

  private piece(payload: Uint8Array): LogFrame {
    return {
      endOffset: Number(this.header.readBigUInt64BE(4)) - this.missing,
      at: Number(this.header.readBigUInt64BE(12)),
      payload,
    };
  }
}
