import { isUsable, type Offer } from '../offers/offer.js';

/** A try to create a machine that came to nothing, and what it says about the others. */
export interface FailedPlace {
  readonly backend: string;
  readonly region: string;
  readonly zone: string | null;
  readonly instanceType: string;
  /** Some clouds sell one type with different GPUs: `T4:1`; null: none. */
  readonly gpus: string | null;
  readonly isSpot: boolean;
  /** How much of the cloud need not be tried again; null: nobody knows. */
  readonly blocks: string | null;
}

export interface LaunchPlace {
  readonly offer: Offer;
  /** Null: the cloud chooses, or has none. */
  readonly zone: string | null;
}

/** Where to try next: the first offer with a zone that no failure rules out. Offers come in the order of preference. */
export function nextPlace(offers: readonly Offer[], failed: readonly FailedPlace[]): LaunchPlace | null {
  for (const offer of offers) {
    if (!isUsable(offer)) continue;
    for (const zone of offer.availability_zones ?? [null]) {
      if (!failed.some((place) => rulesOut(place, offer, zone))) return { offer, zone };
    }
  }
  return null;
}

function rulesOut(failed: FailedPlace, offer: Offer, zone: string | null): boolean {
  if (failed.backend !== offer.backend) return false;
  if (failed.blocks === 'account') return true;
  if (failed.region !== offer.region) return false;
  if (failed.blocks === 'region') return true;
  const { name, resources } = offer.instance;
  const isSameType = failed.instanceType === name && failed.gpus === gpusOf(offer) && failed.isSpot === resources.spot;
  return isSameType && (failed.blocks !== 'zone' || failed.zone === zone);
}

/** As a failed place tells them. */
export function gpusOf({ instance }: Pick<Offer, 'instance'>): string | null {
  const { gpus } = instance.resources;
  return gpus[0] === undefined ? null : `${gpus[0].name}:${gpus.length}`;
}
