import type { Instant } from '../lifecycle/decision.js';
import type { PoolInstance } from '../offers/instance-offer.js';
import type { OfferFilters } from '../offers/offer-filters.js';
import type { Offer } from '../offers/offer.js';
import type * as Wire from '../wire/generated/api.js';
import type { Place } from './place.js';

export interface PlacementJob {
  readonly id: string;
  /** Which of a candidate's asks is this job's: the node groups of a task may want different machines. */
  readonly ask: number;
}

/** Jobs that start together or not at all: the nodes of one replica, or a single job. */
export interface PlacementGroup {
  readonly runId: string;
  readonly runName: string;
  readonly userName: string;
  readonly jobs: readonly PlacementJob[];
  /** Higher first. */
  readonly priority: number;
  readonly submittedAt: Instant;
  readonly mayCreate: boolean;
  /** `instances:` of the profile: only these may be used. Null: any. */
  readonly onlyInstanceIds: readonly string[] | null;
  /** Of `fleets:`, those that do not exist. */
  readonly unknownFleets: readonly string[];
  /** The fleets the run may use, best first when nothing else decides. */
  readonly candidates: readonly PlacementCandidate[];
}

/** What the run asks of one fleet: its own requirements narrowed by the fleet's. */
export type PlacementCandidate =
  | { readonly fleetId: string; readonly fits: true; readonly asks: readonly PlacementAsk[] }
  | { readonly fleetId: string; readonly fits: false; readonly because: string };

export interface PlacementAsk {
  readonly requirements: Wire.Requirements;
  readonly filters: OfferFilters;
  /** What the backends could create; null while nobody has asked them. */
  readonly offers: readonly Offer[] | null;
  /** Why the backends have nothing, for people: a line each. */
  readonly offersNotes: readonly string[];
}

export interface PlacementFleet {
  readonly id: string;
  readonly name: string;
  /** Neither terminating nor terminated. */
  readonly activeCount: number;
  readonly maxNodes: number | null;
  /** SSH fleets have the hosts they have. */
  readonly canCreate: boolean;
  /** Where the machines of a cluster are: new ones have to be there too. */
  readonly anchor: Place | null;
}

/** Who is on an instance, for those who wait for it. */
export interface Holder {
  readonly runName: string;
  readonly userName: string;
}

/** An instance that jobs can be given to, now or when it is free. */
export interface PlacementInstance extends PoolInstance {
  readonly fleetId: string;
  readonly name: string;
  readonly unreachableSince: Instant | null;
  readonly holders: readonly Holder[];
}

/** An instance that can take no job yet, or none any more. */
export interface AbsentInstance {
  readonly fleetId: string;
  readonly name: string;
  readonly isHost: boolean;
  readonly because: string;
}

export interface PlacementInput {
  readonly groups: readonly PlacementGroup[];
  readonly instances: readonly PlacementInstance[];
  readonly absent: readonly AbsentInstance[];
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
  | { readonly kind: 'create'; readonly jobId: string; readonly ask: number; readonly offer: Offer };
