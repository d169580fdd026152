import { z } from 'zod';
import { closestName } from './closest-name.js';
import { forward } from './forward.js';
import { describeInput, inputJsonSchema } from './json-schema.js';
import { describe, kindOf } from './kind.js';

/** A mapping with known keys; any other key is an error that names the one probably meant. */
export function mapping<S extends z.ZodRawShape>(shape: S): z.ZodType<z.output<z.ZodObject<S>>> {
  const known = Object.keys(shape);
  const strict = z.strictObject(shape);
  const lenient = z.object(shape);
  const schema = z.unknown().transform((value, context): z.output<z.ZodObject<S>> => {
    if (kindOf(value) !== 'mapping') {
      const message =
        kindOf(value) === 'missing' ? 'is required: expected a mapping' : `expected a mapping, got ${describe(value)}`;
      context.issues.push({ code: 'custom', message, input: value, params: { expected: 'a mapping' } });
      return z.NEVER;
    }
    for (const key of Object.keys(value as object)) {
      if (Object.hasOwn(shape, key)) continue;
      context.issues.push({
        code: 'custom',
        message: 'is not a known property here',
        input: value,
        path: [key],
        params: { unknownKey: true, suggestion: closestName(key, known) },
      });
    }
    return forward(lenient, value, context) ?? z.NEVER;
  });
  return describeInput(schema, () => inputJsonSchema(strict));
}
