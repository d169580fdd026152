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
  createReplica(
    attempt: Attempt & { publicIp: boolean; instanceType: string | null },
    call: Call,
  ): Promise<MachineState>;
  terminateReplica(ref: MachineRef, call: Call): Promise<Termination>;
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
