/** Bytes of one index entry: the end offset of a chunk, and when it was written (Unix ms). */
export const ENTRY_BYTES = 16;

/** `at` of the entry that says: the log is complete. */
const COMPLETE = 0;

/**
 * The index of one log file, in memory: chunk ends and times, both rising. Its file is these entries one after another, so a torn last
 * entry is cut off by its length.
 */
export class ChunkIndex {
  private entries: Buffer;
  private used: number;
  complete = false;

  constructor(stored: Buffer) {
    this.used = stored.length - (stored.length % ENTRY_BYTES);
    this.entries = Buffer.from(stored.subarray(0, this.used));
    if (this.used > 0 && this.atOf(this.count - 1) === COMPLETE) {
      this.complete = true;
      this.used -= ENTRY_BYTES;
    }
  }

  get count(): number {
    return this.used / ENTRY_BYTES;
  }

  get endOffset(): number {
    return this.count === 0 ? 0 : this.endOf(this.count - 1);
  }

  /** Length of the valid part of the index file. */
  get storedBytes(): number {
    return this.used + (this.complete ? ENTRY_BYTES : 0);
  }

  endOf(entry: number): number {
    return Number(this.entries.readBigUInt64BE(entry * ENTRY_BYTES));
  }

  startOf(entry: number): number {
    return entry === 0 ? 0 : this.endOf(entry - 1);
  }

  atOf(entry: number): number {
    return Number(this.entries.readBigUInt64BE(entry * ENTRY_BYTES + 8));
  }

  push(encoded: Buffer): void {
    if (this.used + encoded.length > this.entries.length) {
      const grown = Buffer.alloc(Math.max(this.entries.length * 2, this.used + encoded.length, 1024));
      this.entries.copy(grown, 0, 0, this.used);
      this.entries = grown;
    }
    encoded.copy(this.entries, this.used);
    this.used += encoded.length;
  }

  /** The first entry that ends beyond `offset` (`count` when there is none). */
  entryAt(offset: number): number {
    return this.firstWhere((entry) => this.endOf(entry) > offset);
  }

  /** The first entry written after `at`. */
  entryAfter(at: number): number {
    return this.firstWhere((entry) => this.atOf(entry) > at);
  }

  private firstWhere(holds: (entry: number) => boolean): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

export function encodeEntry(endOffset: number, at: number): Buffer {
  const entry = Buffer.allocUnsafe(ENTRY_BYTES);
  entry.writeBigUInt64BE(BigInt(endOffset), 0);
  entry.writeBigUInt64BE(BigInt(Math.max(1, Math.round(at))), 8);
  return entry;
}

export function encodeCompletion(endOffset: number): Buffer {
  const entry = encodeEntry(endOffset, 1);
  entry.writeBigUInt64BE(BigInt(COMPLETE), 8);
  return entry;
}
