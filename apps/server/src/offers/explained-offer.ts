import { displayBackend, type Offer, toWireOffer, type Wire } from '@dstack/core';

/** The contract's offer, with what it leaves out. */
export type ExplainedOffer = Wire.InstanceOfferWithAvailability & {
  readonly backend_display: string;
  readonly availability_reason: string | null;
  /** Of a catalog: when the price held, and whether it was computed from others. Null: the backend was asked. */
  readonly price_date: string | null;
  readonly price_is_derived: boolean;
};

export function explainedOffer(offer: Offer): ExplainedOffer {
  return {
    ...toWireOffer(offer),
    backend_display: displayBackend(offer.backend),
    availability_reason: offer.availability_reason ?? null,
    price_date: offer.priced?.date ?? null,
    price_is_derived: offer.priced?.isDerived ?? false,
  };
}
