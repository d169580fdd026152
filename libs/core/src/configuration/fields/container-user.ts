import type { z } from 'zod';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { Mismatch } from '../schema/mismatch.js';
import { readText } from '../schema/scalars.js';

const expected = '"name_or_id" or "name_or_id:group_name_or_id"';

/** The user of the container, with an optional group. */
export function containerUser(): z.ZodType<string> {
  return leaf({ type: ['string', 'number'], pattern: '^[^:]+(:[^:]+)?$', minimum: 0 }, (value) => {
    const written = readText(value);
    const parts = written.split(':');
    if (parts.length > 2 || parts.some((part) => part.trim() === ''))
      throw new Mismatch(`invalid user ${describe(written)}: expected ${expected}`, { expected });
    if (parts.some((part) => /^-\d+$/.test(part)))
      throw new Mismatch(`invalid user ${describe(written)}: an id must not be negative`, { expected });
    return written;
  });
}
