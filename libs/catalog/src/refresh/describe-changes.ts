import type { CatalogChanges } from './compare-rows.js';

const EXAMPLES = 5;

/** For people, a line each: how many, and a few examples. */
export function describeChanges({ before, after, added, removed, repriced }: CatalogChanges): string[] {
  const dearest = [...repriced].sort((a, b) => share(b) - share(a));
  return [
    `${after} prices, before ${before}: ${added.length} added, ${removed.length} removed, ${repriced.length} changed`,
    ...some(added, '+', (row) => `${place(row)} ${row.price} USD`),
    ...some(removed, '-', (row) => `${place(row)} ${row.price} USD`),
    ...some(dearest, '~', (change) => `${place(change.row)} ${change.before} -> ${change.row.price} USD`),
  ];
}

function some<T>(items: readonly T[], mark: string, text: (item: T) => string): string[] {
  const more = items.length - EXAMPLES;
  return [
    ...items.slice(0, EXAMPLES).map((item) => `  ${mark} ${text(item)}`),
    ...(more > 0 ? [`  ${mark} and ${more} more`] : []),
  ];
}

function place({ type, location, isSpot }: CatalogChanges['added'][number]): string {
  const gpu = type.gpu === null ? '' : ` (${type.gpu.count}x ${type.gpu.name})`;
  return `${type.name}${gpu} in ${location}${isSpot ? ' spot' : ''}`;
}

function share({ row, before }: CatalogChanges['repriced'][number]): number {
  return Math.abs(row.price - before) / before;
}
