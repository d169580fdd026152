import fc from 'fast-check';

/** The keywords of JSON Schema that our schemas use. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema | boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface SchemaSource {
  readonly resolve: (reference: string) => Schema;
  /** Texts where the schema says no more than that it is one. */
  readonly texts: fc.Arbitrary<string>;
  /** In place of what the schema says about a field of this name. */
  readonly fields?: Readonly<Record<string, fc.Arbitrary<unknown>>>;
}

const DEEPEST = 9;

/** Values that a schema takes. Optional fields come and go. */
export function fromSchema(schema: Schema, source: SchemaSource, depth = 0): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fromSchema(source.resolve(schema.$ref), source, depth);
  if (depth > DEEPEST) return fc.constantFrom<unknown>(null, 'x', 1);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const members = schema.anyOf ?? schema.oneOf;
  if (members !== undefined) return fc.oneof(...members.map((member) => fromSchema(member, source, depth + 1)));
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.length === 0) return fc.jsonValue({ maxDepth: 1 });
  return fc.oneof(...types.map((type) => ofType(type, schema, source, depth)));
}

function ofType(type: string, schema: Schema, source: SchemaSource, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return anObject(schema, source, depth);
    case 'array': {
      const items = typeof schema.items === 'object' ? schema.items : {};
      const { minItems = 0, maxItems = 3 } = schema;
      return fc.array(fromSchema(items, source, depth + 1), {
        minLength: minItems,
        maxLength: Math.max(minItems, Math.min(maxItems, 3)),
      });
    }
    case 'integer':
      return fc.oneof(
        fc.integer({ min: Math.ceil(schema.minimum ?? -5), max: schema.maximum ?? 100_000 }),
        fc.constant(schema.minimum ?? 1),
      );
    case 'number':
      return fc.oneof(
        fc.integer({ min: Math.ceil(schema.minimum ?? -5), max: schema.maximum ?? 100 }),
        fc.constant(Math.max(1.5, schema.minimum ?? 0)),
      );
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return aText(schema, source);
  }
}

function aText({ pattern, format, minLength = 0 }: Schema, { texts }: SchemaSource): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString());
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return texts.filter((text) => text.length >= minLength);
}

function anObject(
  { properties = {}, required = [], additionalProperties }: Schema,
  source: SchemaSource,
  depth: number,
): fc.Arbitrary<unknown> {
  const field = (name: string, schema: Schema): fc.Arbitrary<unknown> =>
    source.fields?.[name] ?? fromSchema(schema, source, depth + 1);
  const named = Object.entries(properties).map(([name, schema]) =>
    (required.includes(name)
      ? field(name, schema).map((value) => ({ value }))
      : fc.option(
          field(name, schema).map((value) => ({ value })),
          { freq: 3, nil: undefined },
        )
    ).map((held) => [name, held] as const),
  );
  const more =
    typeof additionalProperties === 'object'
      ? fc.dictionary(source.texts, fromSchema(additionalProperties, source, depth + 1), { maxKeys: 3 })
      : fc.constant({});
  return fc.tuple(fc.tuple(...named), more).map(([fields, rest]) => ({
    ...rest,
    ...Object.fromEntries(fields.flatMap(([name, held]) => (held === undefined ? [] : [[name, held.value] as const]))),
  }));
}
