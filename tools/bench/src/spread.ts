/** The value below which the given share of the values lies, by nearest rank. @throws {RangeError} without values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
  if (value === undefined) throw new RangeError('a quantile of nothing');
  return value;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
