const MONTH_MS = 30 * 24 * 3_600_000;

/** In US dollars so far; a month has thirty days. */
export function volumeCostUsd(
  {
    priceUsdPerMonth,
    activeAt,
    deletedAt,
  }: {
    readonly priceUsdPerMonth: number | null;
    /** Null: it does not exist yet. */
    readonly activeAt: number | null;
    readonly deletedAt: number | null;
  },
  now: number,
): number {
  if (priceUsdPerMonth === null || activeAt === null) return 0;
  const ageMs = Math.max(0, (deletedAt ?? now) - activeAt);
  return Math.round(((priceUsdPerMonth * ageMs) / MONTH_MS) * 10_000) / 10_000;
}
