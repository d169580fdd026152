import { MAX_PACKET_BYTES } from './protocol.js';

/** Cuts a byte stream into packets, without their lengths. */
export class PacketSplitter {
  private parts: Buffer[] = [];
  private held = 0;

  push(chunk: Buffer): Buffer[] {
    this.parts.push(chunk);
    this.held += chunk.length;
    const packets: Buffer[] = [];
    for (;;) {
      const packet = this.next();
      if (packet === undefined) return packets;
      packets.push(packet);
    }
  }

  private next(): Buffer | undefined {
    if (this.held < 4) return undefined;
    const length = this.peekLength();
    if (length === 0 || length > MAX_PACKET_BYTES + 1024) throw new RangeError(`an SFTP packet of ${length} bytes`);
    if (this.held < 4 + length) return undefined;
    const all = this.parts.length === 1 ? (this.parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.parts);
    const rest = all.subarray(4 + length);
    this.parts = rest.length > 0 ? [rest] : [];
    this.held = rest.length;
    return all.subarray(4, 4 + length);
  }

  private peekLength(): number {
    const first = this.parts[0] ?? Buffer.alloc(0);
    if (first.length < 4) this.parts = [Buffer.concat(this.parts)];
    return (this.parts[0] ?? first).readUInt32BE(0);
  }
}
