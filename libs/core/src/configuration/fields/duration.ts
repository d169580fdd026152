import type { z } from 'zod';
import { describe, kindOf } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { Mismatch } from '../schema/mismatch.js';
import { readNumber } from '../schema/scalars.js';

const secondsPerUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const expected = 'seconds, or a number with one of s, m, h, d, w, like 90, 10m or 2h';
const textPattern = '^\\s*[+-]?\\d+\\s*$|^\\d+ *[smhdw]$';
const json = [{ type: 'number' }, { type: 'string', pattern: textPattern }];

/** Whole seconds. One number and one unit: `1h30m` and `1.5h` are refused. */
export function parseDuration(value: unknown): number {
  const kind = kindOf(value);
  if (kind === 'number') {
    const seconds = readNumber(value);
    if (seconds !== undefined && Number.isSafeInteger(Math.trunc(seconds))) return Math.trunc(seconds);
  }
  if (typeof value === 'string') {
    const [, digits, unit] = /^\s*([+-]?\d+)\s*$/.exec(value) ?? /^(\d+) *([smhdw])$/.exec(value) ?? [];
    const seconds = Number(digits) * (unit === undefined ? 1 : (secondsPerUnit[unit] ?? Number.NaN));
    if (digits !== undefined && Number.isSafeInteger(seconds)) return seconds + 0; // `-0` is 0
  }
  throw new Mismatch(
    kind === 'missing'
      ? `is required: expected ${expected}`
      : `cannot parse duration ${describe(value)}: expected ${expected}`,
    { expected },
  );
}

export function duration(rules: { readonly minSeconds?: number } = {}): z.ZodType<number> {
  return leaf({ anyOf: json }, (value) => atLeast(rules.minSeconds, parseDuration(value)));
}

/** A duration, `off`, or unset (`true`). */
export function offableDuration(): z.ZodType<'off' | number | null> {
  return leaf({ anyOf: [...json, { type: 'boolean' }, { enum: switchWords }] }, (value) => {
    const turned = readSwitch(value);
    if (turned === 'off') return 'off';
    if (turned === 'unset') return null;
    return atLeast(0, parseDuration(value));
  });
}

/** A duration, or -1 for never; any negative number means never and is kept. */
export function idleDuration(): z.ZodType<number | null> {
  return leaf({ anyOf: [...json, { type: 'boolean' }, { enum: switchWords }] }, (value) => {
    const turned = readSwitch(value);
    if (turned === 'off') return -1;
    if (turned === 'unset') return null;
    return parseDuration(value);
  });
}

/** A duration, or null for `off`. */
export function inactivityDuration(): z.ZodType<number | null> {
  return offableDuration().transform((value) => (value === 'off' ? null : value));
}

const switchWords = ['off', 'no', 'false', 'on', 'yes', 'true'];

/** YAML 1.2 reads a bare `off` as text, YAML 1.1 as false: both are taken. */
function readSwitch(value: unknown): 'off' | 'unset' | undefined {
  if (value === false) return 'off';
  if (value === true) return 'unset';
  if (typeof value !== 'string') return undefined;
  const word = value.trim().toLowerCase();
  if (word === 'off' || word === 'no' || word === 'false') return 'off';
  if (word === 'on' || word === 'yes' || word === 'true') return 'unset';
  return undefined;
}

function atLeast(minSeconds: number | undefined, seconds: number): number {
  if (minSeconds === undefined || seconds >= minSeconds) return seconds;
  throw new Mismatch(
    minSeconds === 0 ? `must not be negative, is ${seconds} s` : `must be at least ${minSeconds} s, is ${seconds} s`,
  );
}
