/** A time during which a machine was held for a price. */
export interface PricedInterval {
  readonly priceUsdPerHour: number;
  readonly from: number;
  /** Null: still going on. */
  readonly until: number | null;
}

/** A machine that costs money, and the time during which it was a job's. */
export interface HeldMachine {
  /** From its creation until it was confirmed to be gone. */
  readonly priced: PricedInterval;
  readonly heldFrom: number;
  /** Null: the job still has it. */
  readonly heldUntil: number | null;
  /** Of the machine: 1, or less where jobs share one. */
  readonly share: number;
  /** It never started: it was there for this job only, and costs until it is gone. */
  readonly failedToStart: boolean;
}

/** What the job pays for of its machine; what it costs before and after is the project's. */
export function heldInterval({ priced, heldFrom, heldUntil, share, failedToStart }: HeldMachine): PricedInterval {
  if (failedToStart) return priced;
  const until = [priced.until, heldUntil].filter((each) => each !== null);
  return {
    priceUsdPerHour: priced.priceUsdPerHour * share,
    from: Math.max(priced.from, heldFrom),
    until: until.length === 0 ? null : Math.min(...until),
  };
}

/** The part of it within a time. */
export function within(
  { priceUsdPerHour, from, until }: PricedInterval,
  time: { readonly since: number; readonly until: number },
): PricedInterval {
  return { priceUsdPerHour, from: Math.max(from, time.since), until: Math.min(until ?? time.until, time.until) };
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
