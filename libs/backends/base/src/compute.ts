import type { HostRuntimes, Offer, OfferTable, Runtime, Wire } from '@dstack/core';
import type { Call } from './call.js';
import type { Attempt, ListedMachine, MachineRef, MachineState, Termination } from './machine.js';
import type { GatewaySupport, GroupSupport, PlacementGroupSupport, VolumeSupport } from './optional-members.js';

export interface OfferQuery {
  readonly requirements: Wire.Requirements;
  /** Do not shrink elastic offers to the requested resources. */
  readonly fullOffers: boolean;
  /** Subtract what is already allocated. */
  readonly unallocated: boolean;
}

/**
 * One configured account of a cloud. Expected outcomes are values; every failure is a BackendError.
 * All calls are safe to repeat and end by their deadline.
 */
export interface Compute {
  /** Offers that could meet the requirements. A failed quota or stock query makes them `unknown`, it does not fail the list. */
  offers(query: OfferQuery, call: Call): Promise<Offer[]>;
  /**
   * Of a backend with a catalog: all that the account is offered, whatever is required, the same table as long as nothing changes; plans
   * are made with it, in less time than objects take. Null: ask for `offers`, as what is required is not in the table.
   */
  offerTable?(query: OfferQuery, call: Call): Promise<OfferTable | null>;
  /** Returns as soon as the machine has an id. Whatever a failing call made beside it is removed or is in the ref. */
  create(attempt: Attempt, call: Call): Promise<MachineState>;
  /** One read, no waiting. A machine nobody has heard of is `gone`. */
  get(ref: MachineRef, call: Call): Promise<MachineState>;
  /** Everything that carries the owner's tag and may cost money, whatever made it. */
  list(owner: string, call: Call): Promise<ListedMachine[]>;
  /** A missing machine is `done`. Needs nothing but the ref: neither offers nor images nor networks. */
  terminate(ref: MachineRef, call: Call): Promise<Termination>;
  /** What its machines can run jobs as, where that is known before there is one; plans are made with it. Absent: containers. */
  readonly runtimes?: { readonly available: HostRuntimes; readonly preference: 'auto' | Runtime };
  readonly volumes?: VolumeSupport;
  readonly gateways?: GatewaySupport;
  readonly placementGroups?: PlacementGroupSupport;
  readonly groups?: GroupSupport;
  /** Releases sockets and timers of the client; machines stay. */
  close?(): Promise<void>;
}
