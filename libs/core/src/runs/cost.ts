/** A time during which a machine was held for a price. */
export interface PricedInterval {
  readonly priceUsdPerHour: number;
  readonly from: number;
  /** Null: still going on. */
  readonly until: number | null;
}

const HOUR_MS = 3_600_000;

/** In USD, rounded to four decimals as existing clients show it. */
export function costUsd(intervals: Iterable<PricedInterval>, now: number): number {
  let total = 0;
  for (const { priceUsdPerHour, from, until } of intervals) {
    total += (priceUsdPerHour * Math.max(0, (until ?? now) - from)) / HOUR_MS;
  }
  return Math.round(total * 10_000) / 10_000;
}
