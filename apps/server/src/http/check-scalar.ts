import type { JsonSchema } from './contract.js';
import { issue, type Checked, type Location } from './schema-issue.js';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0']);

/** `strict` accepts the declared JSON type only; otherwise numbers and their text stand for each other, as clients rely on. */
export function checkString(schema: JsonSchema, input: unknown, loc: Location, strict: boolean): Checked {
  if (schema.format === 'date-time') return checkTime(input, loc, strict);
  const text = typeof input === 'number' && !strict ? String(input) : input;
  if (typeof text !== 'string') return issue('string_type', loc, 'Input should be a valid string', input);
  const { minLength, maxLength, pattern } = schema;
  const length = [...text].length;
  if (minLength !== undefined && length < minLength)
    return issue('string_too_short', loc, `String should have at least ${minLength} characters`, input, {
      min_length: minLength,
    });
  if (maxLength !== undefined && length > maxLength)
    return issue('string_too_long', loc, `String should have at most ${maxLength} characters`, input, {
      max_length: maxLength,
    });
  if (pattern !== undefined && !new RegExp(pattern).test(text))
    return issue('string_pattern_mismatch', loc, `String should match pattern '${pattern}'`, input, { pattern });
  if (schema.format?.startsWith('uuid') === true) {
    if (!UUID.test(text)) return issue('uuid_parsing', loc, 'Input should be a valid UUID', input);
    return { value: hyphenated(text.toLowerCase()) };
  }
  return { value: text };
}

function hyphenated(uuid: string): string {
  const hex = uuid.replaceAll('-', '');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function checkTime(input: unknown, loc: Location, strict: boolean): Checked {
  const wrong = (): Checked => issue('datetime_parsing', loc, 'Input should be a valid datetime', input);
  if (typeof input === 'string' && !/^-?\d+(\.\d+)?$/.test(input)) {
    if (!/^\d{4}-\d{2}-\d{2}/.test(input) || Number.isNaN(Date.parse(input))) return wrong();
    return { value: input };
  }
  if (strict && typeof input !== 'number') return wrong();
  const epoch = typeof input === 'number' || typeof input === 'string' ? Number(input) : Number.NaN;
  // Seconds up to the year 2286, milliseconds beyond: the reading of the original.
  const time = new Date(Math.abs(epoch) > 2e10 ? epoch : epoch * 1_000);
  return Number.isNaN(time.getTime()) ? wrong() : { value: time.toISOString() };
}

export function checkNumber(schema: JsonSchema, input: unknown, loc: Location, strict: boolean): Checked {
  const kind = schema.type === 'integer' ? 'integer' : 'number';
  const number = toNumber(input, strict);
  if (number === undefined) {
    if (typeof input === 'string')
      return issue(kind === 'integer' ? 'int_parsing' : 'float_parsing', loc, `Input should be a valid ${kind}`, input);
    return issue(kind === 'integer' ? 'int_type' : 'float_type', loc, `Input should be a valid ${kind}`, input);
  }
  if (kind === 'integer' && !Number.isInteger(number))
    return issue('int_from_float', loc, 'Input should be a valid integer, got a number with a fractional part', input);
  if (kind === 'integer' && !Number.isSafeInteger(number))
    return issue('int_parsing_size', loc, 'Unable to parse input string as an integer, exceeded maximum size', input);
  return checkBounds(schema, number, input, loc);
}

function toNumber(input: unknown, strict: boolean): number | undefined {
  if (typeof input === 'number') return input;
  if (strict) return undefined;
  if (typeof input === 'boolean') return Number(input);
  if (typeof input !== 'string' || !/^\s*[+-]?(\d[\d_]*(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i.test(input)) return undefined;
  return Number(input.replaceAll('_', ''));
}

function checkBounds(schema: JsonSchema, value: number, input: unknown, loc: Location): Checked {
  const { minimum, maximum, exclusiveMinimum } = schema;
  if (minimum !== undefined && value < minimum)
    return issue('greater_than_equal', loc, `Input should be greater than or equal to ${minimum}`, input, {
      ge: minimum,
    });
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return issue('greater_than', loc, `Input should be greater than ${exclusiveMinimum}`, input, {
      gt: exclusiveMinimum,
    });
  if (maximum !== undefined && value > maximum)
    return issue('less_than_equal', loc, `Input should be less than or equal to ${maximum}`, input, { le: maximum });
  return { value };
}

export function checkBoolean(input: unknown, loc: Location, strict: boolean): Checked {
  if (typeof input === 'boolean') return { value: input };
  const text = typeof input === 'string' || typeof input === 'number' ? String(input).toLowerCase() : '';
  if (!strict && TRUE.has(text)) return { value: true };
  if (!strict && FALSE.has(text)) return { value: false };
  const type = typeof input === 'string' || typeof input === 'number' ? 'bool_parsing' : 'bool_type';
  return issue(type, loc, 'Input should be a valid boolean', input);
}
