import { z } from 'zod';
import { forward } from '../schema/forward.js';
import { describeInput } from '../schema/json-schema.js';
import { describe, kindOf } from '../schema/kind.js';
import { text } from '../schema/scalars.js';

const keyPattern = /^[_\-a-zA-Z0-9]{1,60}$/;
const valuePattern = /^[a-zA-Z0-9 .:/=_\-+@]{0,256}$/;

export function tags(): z.ZodType<Record<string, string>> {
  const tagValue = text({
    pattern: valuePattern,
    expected: 'at most 256 letters, digits, spaces or any of . : / = _ - + @',
  });
  const schema = z.unknown().transform((value, context): Record<string, string> => {
    if (kindOf(value) !== 'mapping') {
      context.issues.push({
        code: 'custom',
        message: `expected a mapping of tags, got ${describe(value)}`,
        input: value,
        params: { expected: 'a mapping' },
      });
      return z.NEVER;
    }
    const entries: [string, string][] = [];
    for (const [key, written] of Object.entries(value as object)) {
      if (!keyPattern.test(key) || key === '__proto__') {
        context.issues.push({
          code: 'custom',
          message: `invalid tag key ${describe(key)}: expected 1 to 60 letters, digits, _ or - (${keyPattern.source})`,
          input: key,
          path: [key],
        });
        continue;
      }
      const read = forward(tagValue, written, context, [key]);
      if (read !== undefined) entries.push([key, read]);
    }
    return Object.fromEntries(entries);
  });
  return describeInput(schema, () => ({
    type: 'object',
    propertyNames: { pattern: keyPattern.source },
    additionalProperties: { type: ['string', 'number'], pattern: valuePattern.source },
  }));
}
