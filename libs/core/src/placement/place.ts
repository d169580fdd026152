import type { InternalBackendType } from '../wire/internal-values.js';

/** What the nodes of a gang have in common, so that they are near each other. */
export interface Place {
  readonly backend: InternalBackendType;
  readonly region: string;
}

export function isAt(place: Place | null, { backend, region }: Place): boolean {
  return place === null || keyOf(place) === keyOf({ backend, region });
}

export function distinctPlaces(all: readonly Place[]): Place[] {
  const byKey = new Map(all.map(({ backend, region }) => [keyOf({ backend, region }), { backend, region }]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place);
}

function keyOf({ backend, region }: Place): string {
  return `${backend} ${region.toLowerCase()}`;
}
