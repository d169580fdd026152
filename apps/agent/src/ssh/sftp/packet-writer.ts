/** Builds one packet, with its length in front. */
export class PacketWriter {
  private readonly parts: Buffer[] = [];

  constructor(type: number) {
    this.byte(type);
  }

  byte(value: number): this {
    this.parts.push(Buffer.of(value));
    return this;
  }

  uint32(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(value >>> 0);
    return this.raw(bytes);
  }

  uint64(value: number | bigint): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return this.raw(bytes);
  }

  string(value: Buffer | string): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    return this.uint32(bytes.length).raw(bytes);
  }

  raw(bytes: Buffer): this {
    this.parts.push(bytes);
    return this;
  }

  finish(): Buffer {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(this.parts.reduce((sum, part) => sum + part.length, 0));
    return Buffer.concat([length, ...this.parts]);
  }
}
