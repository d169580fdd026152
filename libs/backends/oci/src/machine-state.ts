import type { MachineRef, MachineState } from '@dstack/backend-base';
import type { OciInstance, Vnic } from './schema.js';

export const OWNER_TAG = 'dstack_server';
export const TOKEN_TAG = 'dstack_attempt';

/** Of all images that are used. */
const LOGIN_USER = 'ubuntu';

/** What is needed of a machine later and its id does not say. */
export interface OciData {
  /** Null: it has to be looked for. */
  readonly compartmentId: string | null;
  /** Unix milliseconds: Oracle may not know a machine for a moment after it made it. */
  readonly createdAt: number;
}

export function writeData(data: OciData): string {
  return JSON.stringify(data);
}

/** Lenient: a machine must be found and ended whatever became of this text. */
export function readData(text: string | null): OciData {
  const unknown: OciData = { compartmentId: null, createdAt: 0 };
  if (text === null) return unknown;
  try {
    return { ...unknown, ...(JSON.parse(text) as Partial<OciData>) };
  } catch {
    return unknown;
  }
}

export function refOf(instance: OciInstance, region: string): MachineRef {
  const { id, displayName, availabilityDomain: zone, compartmentId, timeCreated } = instance;
  const backendData = writeData({ compartmentId, createdAt: Date.parse(timeCreated) || 0 });
  return { cloudName: displayName ?? '', machineId: id, region, zone, backendData };
}

export function isOver({ lifecycleState }: OciInstance): boolean {
  return lifecycleState === 'TERMINATED';
}

/** What is known without its addresses; null: it runs, and its card tells. */
export function earlyStateOf(instance: OciInstance, region: string): MachineState | null {
  const ref = refOf(instance, region);
  switch (instance.lifecycleState) {
    case 'RUNNING':
      return null;
    case 'TERMINATED':
      return { state: 'gone' };
    // On purpose, or because preemptible capacity is taken back, or because no host was found.
    case 'TERMINATING':
      return { state: 'failed', ref, message: 'Oracle is terminating it' };
    case 'STOPPING':
    case 'STOPPED':
      return { state: 'failed', ref, message: 'it was stopped' };
    default:
      return { state: 'pending', ref, reason: instance.lifecycleState };
  }
}

export function stateWith(vnic: Vnic | null, instance: OciInstance, region: string): MachineState {
  const ref = refOf(instance, region);
  const address = vnic?.publicIp;
  if (!address) return { state: 'pending', ref, reason: 'it has no address yet' };
  return {
    state: 'ready',
    ref,
    agent: { via: 'login', host: address, port: 22, user: LOGIN_USER, jump: null },
    hostname: address,
    internalIp: vnic.privateIp ?? null,
  };
}
