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

/** All nodes of a multi-node job in one call. */
export interface GroupSupport {
  create(attempts: readonly Attempt[], call: Call): Promise<MachineState[]>;
  terminate(refs: readonly MachineRef[], call: Call): Promise<Termination>;
}
