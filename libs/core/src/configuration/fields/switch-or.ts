import type { z } from 'zod';
import { eitherShape } from '../schema/choice.js';
import { flag, readFlag } from '../schema/scalars.js';

/** A boolean, in any of its spellings, or something else. */
export function switchOr<T>(other: z.ZodType<T>): z.ZodType<boolean | T> {
  return eitherShape((value) => readFlag(value) !== undefined, flag(), other);
}
