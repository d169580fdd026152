import type { Offer } from '../offers/offer.js';
import type { OfferFilters } from '../offers/offer-filters.js';
import type { PoolInstance } from '../offers/instance-offer.js';
import type * as Wire from '../wire/generated/api.js';
import type { Instant } from './decision.js';

/** Jobs that start together or not at all: the nodes of one replica, or a single job. */
export interface PlacementGroup {
  readonly runId: string;
  readonly jobIds: readonly string[];
  /** Higher first. */
  readonly priority: number;
  readonly submittedAt: Instant;
  readonly mayCreate: boolean;
  /** `instances:` of the profile: only these may be used. Null: any. */
  readonly onlyInstanceIds: readonly string[] | null;
  /** The fleets the run may use, best first when nothing else decides. */
  readonly candidates: readonly PlacementCandidate[];
}

/** What the run asks of one fleet: its own requirements narrowed by the fleet's. */
export type PlacementCandidate =
  | {
      readonly fleetId: string;
      readonly fits: true;
      readonly requirements: Wire.Requirements;
      readonly filters: OfferFilters;
      /** What the backends could create; null while nobody has asked them. */
      readonly offers: readonly Offer[] | null;
      /** Why the backends have nothing, for people. */
      readonly offersNote: string | null;
    }
  | { readonly fleetId: string; readonly fits: false; readonly because: string };

export interface PlacementFleet {
  readonly id: string;
  readonly name: string;
  /** Neither terminating nor terminated. */
  readonly activeCount: number;
  readonly maxNodes: number | null;
  /** SSH fleets have the hosts they have. */
  readonly canCreate: boolean;
}

export interface PlacementInstance extends PoolInstance {
  readonly fleetId: string;
}

export interface PlacementInput {
  readonly groups: readonly PlacementGroup[];
  readonly instances: readonly PlacementInstance[];
  readonly fleets: readonly PlacementFleet[];
}

export type Seat =
  | {
      readonly kind: 'reuse';
      readonly jobId: string;
      readonly instanceId: string;
      readonly blocks: number;
      readonly offer: Offer;
    }
  | { readonly kind: 'create'; readonly jobId: string; readonly offer: Offer };

export type Verdict =
  | {
      readonly kind: 'placed';
      readonly group: PlacementGroup;
      readonly fleetId: string;
      readonly seats: readonly Seat[];
    }
  /** Existing capacity is not enough: ask the backends what they could create and decide again. */
  | { readonly kind: 'needs-offers'; readonly group: PlacementGroup }
  | { readonly kind: 'no-capacity'; readonly group: PlacementGroup; readonly message: string };
