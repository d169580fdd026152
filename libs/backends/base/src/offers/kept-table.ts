import { type Offer, type OfferTable, tabulateOffers } from '@dstack/core';
import type { Call } from '../call.js';
import type { OfferQuery } from '../compute.js';
import { Kept } from '../kept.js';

const KEPT_MS = 180_000;
const EVERYTHING: OfferQuery = { requirements: { resources: {} }, fullOffers: false, unallocated: false };

/** `Compute.offerTable` of a backend whose offers depend on what is required only in which of them fit, and on reservations. */
export class KeptTable {
  private readonly kept: Kept<OfferTable>;

  constructor(
    private readonly offers: (query: OfferQuery, call: Call) => Promise<Offer[]>,
    now: () => number,
  ) {
    this.kept = new Kept(KEPT_MS, now);
  }

  async of({ requirements }: OfferQuery, call: Call): Promise<OfferTable | null> {
    if (requirements.reservation) return null;
    return this.kept.get('all', call, async () => tabulateOffers(await this.offers(EVERYTHING, call)));
  }
}
