import type { RejectionReason } from '../offers/rejection.js';

export function aboutFleet(name: string, because: string): RejectionReason {
  return { code: 'fleet', text: `fleet ${name}: ${because}` };
}

/** @param named by the run; null: it takes any */
export function unknownFleets(named: readonly string[] | null, known: readonly string[]): RejectionReason[] {
  return (named ?? []).filter((name) => !known.includes(name)).map((name) => aboutFleet(name, 'does not exist'));
}

/** What a run that only takes what is there has against a fleet that could grow. */
export function nothingCreated(fleet: string): RejectionReason {
  return aboutFleet(fleet, 'nothing is created, as creation_policy is reuse');
}
