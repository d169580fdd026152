import { resolveSchema, type JsonSchema } from '../../src/http/contract.js';

/** The least value a schema takes, so that what is put into it is looked at. */
export function example(schema: JsonSchema, depth = 0): unknown {
  const { const: constant, enum: values, default: fallback, ...rest } = resolveSchema(schema);
  if (constant !== undefined) return constant;
  if (values !== undefined) return values[0];
  if (fallback !== undefined || depth > 6) return fallback ?? null;
  const members = rest.anyOf ?? rest.oneOf;
  if (members !== undefined) return example(members.find(({ type }) => type !== 'null') ?? {}, depth + 1);
  if (rest.properties !== undefined) {
    const fields = (rest.required ?? []).map((name) => [name, example(rest.properties?.[name] ?? {}, depth + 1)]);
    return Object.fromEntries(fields) as unknown;
  }
  if (rest.type === 'array') return [example(rest.items ?? {}, depth + 1)];
  if (rest.type === 'integer' || rest.type === 'number') return rest.minimum ?? 1;
  if (rest.type === 'boolean') return false;
  return rest.format === 'uuid' ? '00000000-0000-4000-8000-000000000000' : 'main';
}

/** Every place in a value of the schema, the value itself first. */
export function placesIn(schema: JsonSchema, at: readonly string[] = [], depth = 0): (readonly string[])[] {
  if (depth > 4) return [];
  const { anyOf, oneOf, properties = {}, items } = resolveSchema(schema);
  const members = [...(anyOf ?? []), ...(oneOf ?? [])].flatMap((member) => placesIn(member, at, depth + 1).slice(1));
  const fields = Object.entries(properties).flatMap(([name, field]) => placesIn(field, [...at, name], depth + 1));
  const inner = items === undefined ? [] : placesIn(items, [...at, '0'], depth + 1);
  return [at, ...members, ...fields, ...inner];
}

/** The value with something else in one place. */
export function put(value: unknown, [key, ...rest]: readonly string[], junk: unknown): unknown {
  if (key === undefined) return junk;
  const fields = Object.entries(typeof value === 'object' && value !== null ? value : {});
  const held = Object.fromEntries(fields) as Record<string, unknown>;
  const changed = { ...held, [key]: put(held[key], rest, junk) };
  return Array.isArray(value) ? Object.values(changed) : changed;
}
