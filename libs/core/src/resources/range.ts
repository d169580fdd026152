import { Mismatch } from '../configuration/schema/mismatch.js';

/** Inclusive bounds; null is open. */
export interface Range {
  readonly min: number | null;
  readonly max: number | null;
}

const expected = 'a number or a range like 2..8, 2.. or ..8';

/** `4`, `2..8`, `2..`, `..8`; spaces do not count. Each end is read by the caller's grammar. */
export function parseRange(
  text: string,
  parseBound: (text: string) => number,
): { min: number | null; max: number | null } {
  const compact = text.replaceAll(/\s+/g, '');
  if (compact === '') throw new Mismatch('must not be empty', { expected });
  const parts = compact.split('..');
  if (parts.length === 1) {
    const bound = parseBound(compact);
    return { min: bound, max: bound };
  }
  const [low = '', high = ''] = parts;
  if (parts.length > 2 || low.endsWith('.') || high.startsWith('.'))
    throw new Mismatch(`invalid range "${text}": expected ${expected}`, { expected });
  return checkedRange(low === '' ? null : parseBound(low), high === '' ? null : parseBound(high), text);
}

export function checkedRange(
  min: number | null,
  max: number | null,
  written: string,
): { min: number | null; max: number | null } {
  if (min === null && max === null)
    throw new Mismatch(`invalid empty range "${written}": at least one end is needed`, { expected });
  if (min !== null && max !== null && min > max)
    throw new Mismatch(`invalid range order "${written}": ${min} is greater than ${max}`, { expected });
  return { min, max };
}

export function prettyRange(
  { min, max }: { readonly min?: number | null; readonly max?: number | null },
  unit = '',
): string {
  const low = min === null || min === undefined ? '' : `${prettyNumber(min)}${unit}`;
  const high = max === null || max === undefined ? '' : `${prettyNumber(max)}${unit}`;
  return low === high ? low : `${low}..${high}`;
}

const sixDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6, useGrouping: false });

/** Six significant digits, no trailing zeros, no exponent: what is printed can be written. */
export function prettyNumber(value: number): string {
  return sixDigits.format(value);
}
