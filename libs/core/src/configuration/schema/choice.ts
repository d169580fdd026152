import { z } from 'zod';
import { closestName } from './closest-name.js';
import { forward } from './forward.js';
import { describeInput, inputJsonSchema } from './json-schema.js';
import { type Kind, describe, kindOf } from './kind.js';

type Forms = Partial<Record<'text' | 'number' | 'boolean' | 'mapping' | 'list', z.ZodType>>;
type OutputOf<F> = F[keyof F] extends infer S ? (S extends z.ZodType ? z.output<S> : never) : never;

/**
 * A field with several forms, told apart by the kind of value, so that an error speaks of the form the user wrote
 * and not of all the others.
 */
export function byKind<const F extends Forms>(expected: string, forms: F): z.ZodType<OutputOf<F>> {
  const byName = new Map<Kind, z.ZodType>(Object.entries(forms) as [Kind, z.ZodType][]);
  const schema = z.unknown().transform((value, context): OutputOf<F> => {
    const kind = kindOf(value);
    const form = byName.get(kind);
    if (form === undefined) {
      const message =
        kind === 'missing' ? `is required: expected ${expected}` : `expected ${expected}, got ${describe(value)}`;
      context.issues.push({ code: 'custom', message, input: value, params: { expected } });
      return z.NEVER;
    }
    return forward(form, value, context) as OutputOf<F>;
  });
  return describeInput(schema, () => ({ anyOf: [...new Set(byName.values())].map((form) => inputJsonSchema(form)) }));
}

/** A mapping whose shape depends on one of its keys. `fallback` is the variant taken when the key is absent. */
export function byKey<const V extends Readonly<Record<string, z.ZodType>>>(
  key: string,
  variants: V,
  fallback?: keyof V & string,
): z.ZodType<z.output<V[keyof V]>> {
  const names = Object.keys(variants);
  const expected = `one of ${names.join(', ')}`;
  const schema = z.unknown().transform((value, context): z.output<V[keyof V]> => {
    if (kindOf(value) !== 'mapping') {
      const message =
        kindOf(value) === 'missing' ? 'is required: expected a mapping' : `expected a mapping, got ${describe(value)}`;
      context.issues.push({ code: 'custom', message, input: value, params: { expected: 'a mapping' } });
      return z.NEVER;
    }
    const name = own(value, key) ?? fallback;
    const variant = typeof name === 'string' && Object.hasOwn(variants, name) ? variants[name] : undefined;
    if (variant === undefined) {
      const message = name === undefined ? `is required: ${expected}` : `expected ${expected}, got ${describe(name)}`;
      const suggestion = typeof name === 'string' ? closestName(name, names) : undefined;
      context.issues.push({ code: 'custom', message, input: value, path: [key], params: { expected, suggestion } });
      return z.NEVER;
    }
    return forward(variant, value, context) as z.output<V[keyof V]>;
  });
  return describeInput(schema, () => ({ anyOf: Object.values(variants).map((variant) => inputJsonSchema(variant)) }));
}

/** A key the mapping itself has; never one it inherits. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** Two shapes of a value, told apart by looking at it. */
export function eitherShape<A, B>(
  isFirst: (value: unknown) => boolean,
  first: z.ZodType<A>,
  second: z.ZodType<B>,
): z.ZodType<A | B> {
  const schema = z
    .unknown()
    .transform(
      (value, context): A | B =>
        (isFirst(value) ? forward(first, value, context) : forward(second, value, context)) ?? z.NEVER,
    );
  return describeInput(schema, () => ({ anyOf: [inputJsonSchema(first), inputJsonSchema(second)] }));
}
