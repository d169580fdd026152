import { SftpError, Status } from './protocol.js';

/** Reads the fields of one packet in order. @throws {SftpError} when the packet is shorter than it says. */
export class PacketReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    return this.take(1).readUInt8(0);
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  uint64(): number {
    const value = this.take(8).readBigUInt64BE(0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new SftpError(Status.badMessage, 'offset too large');
    return Number(value);
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString('utf8');
  }

  private take(length: number): Buffer {
    if (length > this.left) throw new SftpError(Status.badMessage, 'packet too short');
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }
}
