import { createHash } from 'node:crypto';
import type { Row } from './table.js';

const MODULUS = 1n << 128n;

/** Of rows in any order: equal where the same rows are there equally often. */
export class Checksum {
  private sum = 0n;
  private rows = 0;

  /** @param columns what counts of the row */
  add(row: Row, columns: readonly string[]): void {
    const text = JSON.stringify(columns.map((name) => canonical(row[name])));
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
    this.sum = (this.sum + BigInt(`0x${digest}`)) % MODULUS;
    this.rows += 1;
  }

  get count(): number {
    return this.rows;
  }

  get text(): string {
    return `${this.rows} rows, ${this.sum.toString(16).padStart(32, '0')}`;
  }
}

/** As both drivers give it. */
function canonical(value: Row[string]): unknown {
  if (value === undefined || value === null) return null;
  if (Buffer.isBuffer(value)) return { bytes: createHash('sha256').update(value).digest('hex') };
  return value;
}
