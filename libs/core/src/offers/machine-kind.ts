import type { Offer } from './offer.js';

/** `hosts` take one job after the other; a container is made for one job, runs it and ends with it. */
export type MachineKind = 'hosts' | 'containers';

/** As the offer says it that the machine was, or would be, made from. */
export function kindOfOffer(offer: Pick<Offer, 'instance_runtime'> | null): MachineKind {
  return offer?.instance_runtime === 'runner' ? 'containers' : 'hosts';
}
