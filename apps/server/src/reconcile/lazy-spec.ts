import type { Sealing } from '../persistence/sealing.js';
import { readSealed } from './sealed-json.js';

interface Stored {
  readonly sealing: Sealing;
  readonly text: string;
  /** Absent until somebody asked. */
  spec?: unknown;
}

const STORED = Symbol('stored');

/**
 * One accessor for all records: a getter of its own for each would be kept alive by the record's hidden class until the next major collection,
 * and with it the row.
 */
const SPEC: PropertyDescriptor & ThisType<{ readonly [STORED]: Stored }> = {
  enumerable: true,
  get() {
    const stored = this[STORED];
    return (stored.spec ??= readSealed(stored, stored.text));
  },
};

/** The record with its specification, which is read and opened when somebody looks at it: it is most of a row, and few do. */
export function withLazySpec<Spec, Row extends object>(
  { sealing }: { readonly sealing: Sealing },
  text: string,
  row: Row,
): Row & { readonly spec: Spec } {
  const stored: Stored = { sealing, text };
  const lazy: Row = Object.defineProperty(Object.assign(row, { [STORED]: stored }), 'spec', SPEC);
  return lazy as Row & { readonly spec: Spec }; // what the writer of the text promised
}
