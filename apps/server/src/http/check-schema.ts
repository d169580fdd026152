import { checkBoolean, checkNumber, checkString } from './check-scalar.js';
import { resolveSchema, type JsonSchema } from './contract.js';
import { issue, MOST_ISSUES, type Checked, type Location, type SchemaIssue } from './schema-issue.js';

export interface CheckOptions {
  /** Dotted paths that are taken as they are: something more exact parses them. */
  readonly leave?: readonly string[];
}

/**
 * Checks a value against a schema of the contract as upstream's models do: unknown keys are refused at every level, numbers
 * and their text stand for each other, defaults are written into the value.
 */
export function checkSchema(schema: JsonSchema, input: unknown, options: CheckOptions = {}): Checked {
  const leave = new Set(options.leave);
  return check(schema, input, { loc: ['body'], strict: false, leave });
}

interface Context {
  readonly loc: Location;
  readonly strict: boolean;
  readonly leave: ReadonlySet<string>;
}

function at(context: Context, key: string | number): Context {
  return { ...context, loc: [...context.loc, key] };
}

function check(reference: JsonSchema, input: unknown, context: Context): Checked {
  if (context.leave.has(context.loc.slice(1).join('.'))) return { value: input };
  const schema = resolveSchema(reference);
  if (schema.oneOf !== undefined) return checkTagged(schema, input, context);
  if (schema.anyOf !== undefined) return checkUnion(schema.anyOf, input, context);
  if (schema.const !== undefined) return checkMember([schema.const], 'literal_error', input, context);
  if (schema.enum !== undefined) return checkMember(schema.enum, 'enum', input, context);
  switch (schema.type) {
    case 'string':
      return checkString(schema, input, context.loc, context.strict);
    case 'integer':
    case 'number':
      return checkNumber(schema, input, context.loc, context.strict);
    case 'boolean':
      return checkBoolean(input, context.loc, context.strict);
    case 'null':
      return input === null ? { value: null } : issue('none_required', context.loc, 'Input should be None', input);
    case 'array':
      return checkArray(schema, input, context);
    case 'object':
      return checkObject(schema, input, context);
    default:
      return { value: input };
  }
}

function checkMember(members: readonly unknown[], type: string, input: unknown, { loc }: Context): Checked {
  if (members.includes(input)) return { value: input };
  const quoted = members.map((member) => (typeof member === 'string' ? `'${member}'` : String(member)));
  const expected = quoted.length > 1 ? `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}` : quoted.join('');
  return issue(type, loc, `Input should be ${expected}`, input, { expected });
}

function checkUnion(members: readonly JsonSchema[], input: unknown, context: Context): Checked {
  const others = members.filter((member) => member.type !== 'null');
  if (input === null && others.length < members.length) return { value: null };
  // The member that fits exactly wins over an earlier one that would convert.
  for (const member of others) {
    const exact = check(member, input, { ...context, strict: true });
    if ('value' in exact) return exact;
  }
  let issues: readonly SchemaIssue[] = [];
  for (const member of others) {
    const lax = context.strict ? check(member, input, context) : check(member, input, { ...context, strict: false });
    if ('value' in lax) return lax;
    issues = issues.concat(lax.issues);
  }
  return { issues };
}

function checkTagged(schema: JsonSchema, input: unknown, context: Context): Checked {
  const { discriminator, oneOf = [] } = schema;
  if (discriminator === undefined) return checkUnion(oneOf, input, context);
  if (!isObject(input)) return notObject(input, context.loc);
  const tag = input[discriminator.propertyName];
  const details = { discriminator: `'${discriminator.propertyName}'` };
  if (tag === undefined)
    return issue(
      'union_tag_not_found',
      context.loc,
      `Unable to extract tag using discriminator '${discriminator.propertyName}'`,
      input,
      details,
    );
  const { mapping } = discriminator;
  const target = typeof tag === 'string' && Object.hasOwn(mapping, tag) ? mapping[tag] : undefined;
  if (target === undefined) {
    const expected = Object.keys(discriminator.mapping)
      .map((name) => `'${name}'`)
      .join(', ');
    const msg = `Input tag ${JSON.stringify(tag)} found using '${discriminator.propertyName}' does not match any of the expected tags: ${expected}`;
    return issue('union_tag_invalid', context.loc, msg, input, { ...details, tag, expected_tags: expected });
  }
  return check({ $ref: target }, input, context);
}

function checkArray(schema: JsonSchema, input: unknown, context: Context): Checked {
  if (!Array.isArray(input)) return issue('list_type', context.loc, 'Input should be a valid list', input);
  const { minItems, maxItems, items = {} } = schema;
  if (minItems !== undefined && input.length < minItems)
    return issue(
      'too_short',
      context.loc,
      `List should have at least ${minItems} items after validation, not ${input.length}`,
      input,
      { field_type: 'List', min_length: minItems, actual_length: input.length },
    );
  if (maxItems !== undefined && input.length > maxItems)
    return issue(
      'too_long',
      context.loc,
      `List should have at most ${maxItems} items after validation, not ${input.length}`,
      input,
      { field_type: 'List', max_length: maxItems, actual_length: input.length },
    );
  const value: unknown[] = [];
  const issues: SchemaIssue[] = [];
  for (const [index, item] of input.entries()) {
    const result = check(items, item, at(context, index));
    if ('value' in result) value.push(result.value);
    else for (const found of result.issues) issues.push(found);
    if (issues.length >= MOST_ISSUES) break;
  }
  return issues.length > 0 ? { issues } : { value };
}

function checkObject(schema: JsonSchema, input: unknown, context: Context): Checked {
  if (!isObject(input)) return notObject(input, context.loc);
  const { properties = {}, required = [], additionalProperties } = schema;
  const value: Record<string, unknown> = {};
  const issues: SchemaIssue[] = [];
  const keep = (key: string, result: Checked): void => {
    if ('issues' in result) for (const found of result.issues) issues.push(found);
    else
      Object.defineProperty(value, key, { value: result.value, enumerable: true, writable: true, configurable: true });
  };
  for (const [key, property] of Object.entries(properties)) {
    if (Object.hasOwn(input, key)) keep(key, check(property, input[key], at(context, key)));
    else if (required.includes(key)) keep(key, issue('missing', [...context.loc, key], 'Field required', input));
    else if (property.default !== undefined) keep(key, { value: structuredClone(property.default) });
  }
  // Not `Object.entries`: it would list millions of unknown keys to tell a hundred.
  for (const key in input) {
    if (issues.length >= MOST_ISSUES) break;
    if (Object.hasOwn(properties, key) || !Object.hasOwn(input, key)) continue;
    const item = input[key];
    if (additionalProperties === false)
      keep(key, issue('extra_forbidden', [...context.loc, key], 'Extra inputs are not permitted', item));
    else if (typeof additionalProperties === 'object') keep(key, check(additionalProperties, item, at(context, key)));
    else keep(key, { value: item });
  }
  return issues.length > 0 ? { issues } : { value };
}

function isObject(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

function notObject(input: unknown, loc: Location): Checked {
  return issue(
    'model_attributes_type',
    loc,
    'Input should be a valid dictionary or object to extract fields from',
    input,
  );
}
