import type { Wire } from '@dstack/core';
import type { Call } from './call.js';
import type { Attempt, MachineRef, MachineState, Termination } from './machine.js';

export type VolumeConfiguration = Wire.Volume['configuration'];

export interface CloudVolume {
  readonly volumeId: string;
  readonly sizeGb: number;
  readonly zone: string | null;
  /** For 30 days. */
  readonly priceUsdPerMonth: number | null;
  readonly attachable: boolean;
  readonly backendData: string | null;
}

/** What a list tells besides, where the cloud keeps it: a volume that nobody knows by its id is told from one being created. */
export interface ListedVolume extends CloudVolume {
  readonly cloudName?: string | null;
  readonly token?: string | null;
}

export interface VolumeSupport {
  /** The existing volume the configuration names. */
  register(configuration: VolumeConfiguration, call: Call): Promise<CloudVolume>;
  create(
    request: { configuration: VolumeConfiguration; token: string; cloudName: string; owner: string },
    call: Call,
  ): Promise<CloudVolume>;
  /** Absent is done. */
  delete(volume: CloudVolume, call: Call): Promise<Termination>;
  attach(volume: CloudVolume, machine: MachineRef, call: Call): Promise<{ deviceName: string | null }>;
  /** Absent or already detached is done. */
  detach(volume: CloudVolume, machine: MachineRef, options: { force: boolean }, call: Call): Promise<Termination>;
  list(owner: string, call: Call): Promise<ListedVolume[]>;
}

export interface GatewaySupport {
  /** `balancer`: the `cloudName` of the one that it will be behind; null: it is reached by everybody. */
  createReplica(
    attempt: Attempt & { publicIp: boolean; instanceType: string | null; balancer: string | null },
    call: Call,
  ): Promise<MachineState>;
  terminateReplica(ref: MachineRef, call: Call): Promise<Termination>;
  readonly balancers?: BalancerSupport;
}

/** What a gateway wants of its load balancer. All of it is found again by the name, which no other one has. */
export interface BalancerRequest extends BalancerRef {
  readonly owner: string;
  readonly project: string;
  readonly gatewayName: string;
  /** Of the cloud: its ARN. */
  readonly certificate: string;
  /** Reached from the internet, or from its own network alone. */
  readonly isPublic: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface BalancerRef {
  readonly cloudName: string;
  readonly region: string;
}

export type BalancerState =
  | { readonly state: 'pending'; readonly reason: string }
  | {
      readonly state: 'ready';
      readonly hostname: string;
      /** Where its requests come from: addresses and CIDRs whose word on clients is believed. */
      readonly addresses: readonly string[];
    };

/**
 * Load balancers that end TLS before gateways. Whatever exists already is taken as it is, and what is missing is made: every call may be
 * repeated, also when the one before it stopped half way.
 */
export interface BalancerSupport {
  /** @throws {BackendError} `rejected` where its certificate or network will not do, before anything is made */
  ensure(request: BalancerRequest, call: Call): Promise<BalancerState>;
  /** Sends requests to the machine. Null: it does; else what it waits for. */
  join(ref: BalancerRef, machine: MachineRef, call: Call): Promise<string | null>;
  /** A machine or a balancer that is not there any more has left. */
  leave(ref: BalancerRef, machine: MachineRef, call: Call): Promise<void>;
  /** Everything that `ensure` made, or what is left of it; nothing is `done`. */
  delete(ref: BalancerRef, call: Call): Promise<Termination>;
  /** All of this owner that cost. */
  list(owner: string, call: Call): Promise<BalancerRef[]>;
}

export interface PlacementGroupSupport {
  create(
    group: { cloudName: string; region: string; owner: string },
    call: Call,
  ): Promise<{ backendData: string | null }>;
  delete(group: { cloudName: string; region: string; backendData: string | null }, call: Call): Promise<Termination>;
  readonly compatibleWithReservations: boolean;
}

/**
 * Machines that are made by one call and end together: the hosts of a TPU slice, the pods of a cluster. Their offers say of how many (`group_nodes`) and what one
 * of them costs. One attempt, with its token and name, makes all of them; `list` tells the group once.
 */
export interface GroupSupport {
  /** As `Compute.create`; gives the first of them. */
  create(attempt: Attempt, size: number, call: Call): Promise<MachineState>;
  /**
   * Another one of the group whose first is known, from rank 1 on; asks nobody. `Compute.get` tells of this one machine and its address:
   * `failed` when it alone is lost, `gone` only when nothing of the group is left that could cost money.
   * `Compute.terminate` ends the whole group: it is for whoever knows that nobody uses the others.
   */
  member(first: MachineRef, rank: number): MachineRef;
}
