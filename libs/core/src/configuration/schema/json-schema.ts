import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What editors may be told about schemas whose input zod itself does not see (shorthands are read by code). */
const inputs = new WeakMap<object, () => JsonSchema>();

export function describeInput<S extends z.ZodType>(schema: S, input: () => JsonSchema): S {
  inputs.set(schema, input);
  return schema;
}

/** The JSON Schema of what a schema accepts, every shorthand included. */
export function inputJsonSchema(schema: z.ZodType): JsonSchema {
  const {
    $schema: _dialect,
    '~standard': _standard,
    ...rest
  } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const input = inputs.get(zodSchema);
      if (input === undefined) return;
      const { description, title } = jsonSchema;
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
      Object.assign(
        jsonSchema,
        input(),
        description === undefined ? {} : { description },
        title === undefined ? {} : { title },
      );
    },
  });
  return rest;
}
