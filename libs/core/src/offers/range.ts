import type { IntRange } from './offer.js';

/** Bounds are inclusive; an absent range or end is open. */
export function contains(range: IntRange | null | undefined, value: number): boolean {
  return value >= (range?.min ?? -Infinity) && value <= (range?.max ?? Infinity);
}

/** Null when the ranges have no value in common. */
export function intersectRanges(a: IntRange | null | undefined, b: IntRange | null | undefined): IntRange | null {
  const min = Math.max(a?.min ?? -Infinity, b?.min ?? -Infinity);
  const max = Math.min(a?.max ?? Infinity, b?.max ?? Infinity);
  if (min > max) return null;
  return { min: min === -Infinity ? null : min, max: max === Infinity ? null : max };
}

/** As written in a configuration: `4`, `2..`, `..8`, `16GB..32GB`. */
export function formatRange(range: IntRange | null | undefined, unit = ''): string {
  const min = range?.min ?? null;
  const max = range?.max ?? null;
  if (min !== null && min === max) return `${formatNumber(min)}${unit}`;
  return `${min === null ? '' : `${formatNumber(min)}${unit}`}..${max === null ? '' : `${formatNumber(max)}${unit}`}`;
}

/** At most one decimal, none when it is zero. */
export function formatNumber(value: number): string {
  return String(Math.round(value * 10) / 10);
}
