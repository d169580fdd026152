import { z } from 'zod';
import { describeInput, inputJsonSchema } from './json-schema.js';

/** An unset field leaves as null; null is the same as leaving it out. */
export function optional<S extends z.ZodType>(schema: S): z.ZodType<z.output<S> | null> {
  return schema.nullish().transform((value) => value ?? null);
}

/** A field with a default, written out in what leaves; null is the same as leaving it out. */
export function defaulted<T>(schema: z.ZodType<T>, fallback: () => T): z.ZodType<T> {
  const nullish = schema.nullish();
  const result = nullish.transform((value): T => value ?? fallback());
  return describeInput(result, () => ({ ...inputJsonSchema(nullish), default: fallback() }));
}

/** As `defaulted`, but null is a value of its own (`certificate: null` means none). */
export function defaultedOrNull<T>(schema: z.ZodType<T>, fallback: () => T): z.ZodType<T | null> {
  const nullable = schema.nullable().optional();
  const result = nullable.transform((value): T | null => (value === undefined ? fallback() : value));
  return describeInput(result, () => ({ ...inputJsonSchema(nullable), default: fallback() }));
}

/** A list whose items are named by position in errors. */
export function listOf<T>(
  item: z.ZodType<T>,
  rules: { readonly min?: number; readonly max?: number } = {},
): z.ZodType<T[]> {
  let schema = z.array(item, { error: (issue) => (issue.code === 'invalid_type' ? 'expected a list' : undefined) });
  if (rules.min !== undefined)
    schema = schema.min(rules.min, {
      error: rules.min === 1 ? 'must not be empty' : `needs at least ${rules.min} items`,
    });
  if (rules.max !== undefined) schema = schema.max(rules.max, { error: `takes at most ${rules.max} items` });
  return schema;
}
