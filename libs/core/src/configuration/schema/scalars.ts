import type { z } from 'zod';
import { closestName } from './closest-name.js';
import { describe, kindOf } from './kind.js';
import { leaf } from './leaf.js';
import { Mismatch } from './mismatch.js';
import { SourcedNumber } from './sourced-number.js';

interface TextRules {
  readonly pattern?: RegExp;
  /** What the pattern means, for the message. */
  readonly expected?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

interface NumberRules {
  readonly min?: number;
  readonly max?: number;
  /** Greater than, not equal. */
  readonly above?: number;
}

/** Text; numbers are taken as the text they were written as. */
export function text(rules: TextRules = {}): z.ZodType<string> {
  const { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = rules;
  const json = {
    type: ['string', 'number'],
    ...(pattern === undefined ? {} : { pattern: pattern.source }),
    ...(minLength > 0 ? { minLength } : {}),
    ...(Number.isFinite(maxLength) ? { maxLength } : {}),
  };
  return leaf(json, (value) => {
    const read = readText(value);
    if (read.length < minLength)
      throw new Mismatch(minLength === 1 ? 'must not be empty' : `must have at least ${minLength} characters`);
    if (read.length > maxLength) throw new Mismatch(`must have at most ${maxLength} characters, has ${read.length}`);
    if (pattern !== undefined && !pattern.test(read)) {
      const expected = rules.expected ?? `text matching ${pattern.source}`;
      throw new Mismatch(`${describe(read)} is not valid: expected ${expected}`, { expected });
    }
    return read;
  });
}

export function readText(value: unknown): string {
  if (typeof value === 'string') {
    // No program could be given it: neither as an argument nor in its environment.
    if (value.includes('\0')) throw new Mismatch('must not hold a NUL character');
    return value;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (value instanceof SourcedNumber) return value.source;
  throw expectedBut('text', value);
}

export function integer(rules: NumberRules = {}): z.ZodType<number> {
  return leaf(numberJson('integer', '^\\s*[+-]?\\d+\\s*$', rules), (value) => within(readInteger(value), rules));
}

export function decimal(rules: NumberRules = {}): z.ZodType<number> {
  return leaf(numberJson('number', '^\\s*[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?\\s*$', rules), (value) => {
    const read = readNumber(value);
    if (read === undefined) throw expectedBut('a number', value);
    return within(read, rules);
  });
}

export function readInteger(value: unknown): number {
  const read = readNumber(value);
  if (read === undefined || !Number.isSafeInteger(read)) throw expectedBut('a whole number', value);
  return read;
}

/** The number a value is, or is the text of. */
export function readNumber(value: unknown): number | undefined {
  if (value instanceof SourcedNumber) return finite(value.value);
  if (typeof value === 'number') return finite(value);
  if (typeof value === 'string' && /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(value))
    return finite(Number(value));
  return undefined;
}

/** `yes`, `no`, `on` and `off` are booleans here, as they are in the YAML 1.1 that users know. */
export function flag(): z.ZodType<boolean> {
  return leaf({ anyOf: [{ type: 'boolean' }, { enum: ['true', 'false', 'yes', 'no', 'on', 'off'] }] }, (value) => {
    const read = readFlag(value);
    if (read === undefined) throw expectedBut('true or false', value);
    return read;
  });
}

export function readFlag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const word = value.trim().toLowerCase();
  if (word === 'true' || word === 'yes' || word === 'on') return true;
  if (word === 'false' || word === 'no' || word === 'off') return false;
  return undefined;
}

/** One of a few words, written exactly. `meant`: what to suggest for words that are none of them, but that people know it by. */
export function oneOf<const T extends string>(
  values: readonly T[],
  meant: Readonly<Record<string, T>> = {},
): z.ZodType<T> {
  return leaf({ enum: [...values] }, (value) => {
    const found = values.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const expected = values.length === 1 ? `"${values.join()}"` : `one of ${values.join(', ')}`;
    const suggestion = typeof value === 'string' ? (meant[value] ?? closestName(value, values)) : undefined;
    throw new Mismatch(
      kindOf(value) === 'missing' ? `is required: ${expected}` : `expected ${expected}, got ${describe(value)}`,
      { expected, suggestion },
    );
  });
}

export function expectedBut(expected: string, value: unknown): Mismatch {
  return kindOf(value) === 'missing'
    ? new Mismatch(`is required: expected ${expected}`, { expected })
    : new Mismatch(`expected ${expected}, got ${describe(value)}`, { expected });
}

function within(value: number, { min, max, above }: NumberRules): number {
  if (min !== undefined && value < min) throw new Mismatch(`must be at least ${min}, is ${value}`);
  if (above !== undefined && value <= above) throw new Mismatch(`must be greater than ${above}, is ${value}`);
  if (max !== undefined && value > max) throw new Mismatch(`must be at most ${max}, is ${value}`);
  return value;
}

function numberJson(
  type: 'integer' | 'number',
  pattern: string,
  { min, max, above }: NumberRules,
): Record<string, unknown> {
  const number = {
    type,
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
    ...(above === undefined ? {} : { exclusiveMinimum: above }),
  };
  return { anyOf: [number, { type: 'string', pattern }] };
}

/** And `-0` is 0, as it is on the wire. */
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value + 0 : undefined);
