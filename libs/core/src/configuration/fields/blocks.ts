import type { z } from 'zod';
import { leaf } from '../schema/leaf.js';
import { Mismatch } from '../schema/mismatch.js';
import { expectedBut, readNumber } from '../schema/scalars.js';

/** How many parts an instance is shared in; `auto` is as many as it divides into. */
export function blocks(): z.ZodType<'auto' | number> {
  return leaf(
    { anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 1 }, { type: 'string', pattern: '^\\s*\\+?\\d+\\s*$' }] },
    (value) => {
      if (value === 'auto') return 'auto';
      const count = readNumber(value);
      if (count === undefined || !Number.isSafeInteger(count)) throw expectedBut('a whole number or "auto"', value);
      if (count < 1) throw new Mismatch(`must be at least 1, is ${count}`);
      return count;
    },
  );
}
