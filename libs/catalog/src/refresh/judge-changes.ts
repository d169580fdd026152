import type { CatalogChanges, PriceChange } from './compare-rows.js';

export interface RefreshLimits {
  /** Of the rows before, in percent. */
  readonly maxLostPercent: number;
  /** How many times dearer or cheaper a price may get. Spot prices move by themselves: theirs is the cube of it. */
  readonly maxFactor: number;
  /** Of the rows after, in percent: so many prices may move by more than the factor. */
  readonly maxJumpedPercent: number;
}

export const REFRESH_LIMITS: RefreshLimits = { maxLostPercent: 10, maxFactor: 2, maxJumpedPercent: 1 };

/** Why such a result is more likely a mistake, of the list or of how it is read, than the truth; empty: it is taken. */
export function judgeChanges(changes: CatalogChanges, limits: RefreshLimits = REFRESH_LIMITS): string[] {
  const { before, after, removed, repriced } = changes;
  const reasons: string[] = [];
  if (after === 0) reasons.push('no price is left');
  const lost = percent(removed.length, before);
  if (lost > limits.maxLostPercent) {
    reasons.push(
      `${removed.length} of ${before} prices (${lost.toFixed(0)} %) would be gone, more than ${limits.maxLostPercent} %`,
    );
  }
  const jumped = repriced.filter((change) => isJump(change, limits.maxFactor));
  const [first] = jumped;
  if (first !== undefined && percent(jumped.length, after) > limits.maxJumpedPercent) {
    const { row, before: old } = first;
    reasons.push(
      `${jumped.length} prices jump: ${row.type.name} in ${row.location} from ${old} to ${row.price} USD, for example`,
    );
  }
  return reasons;
}

function isJump({ row, before }: PriceChange, maxFactor: number): boolean {
  const factor = Math.max(row.price / before, before / row.price);
  return factor > (row.isSpot ? maxFactor ** 3 : maxFactor);
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (part / whole) * 100;
}
