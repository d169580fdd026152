import { z } from 'zod';
import { type JsonSchema, describeInput } from './json-schema.js';
import { Mismatch } from './mismatch.js';

/** A schema for one value, read by a function that returns it normalised or throws a `Mismatch`. */
export function leaf<T>(input: JsonSchema, read: (value: unknown) => T): z.ZodType<T> {
  const schema = z.unknown().transform((value, context): T => {
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      context.issues.push({
        code: 'custom',
        message: error.message,
        input: value,
        params: { expected: error.expected, suggestion: error.suggestion },
      });
      return z.NEVER;
    }
  });
  return describeInput(schema, () => input);
}
