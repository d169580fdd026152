import type { ListedMachine, MachineRef, MachineState } from '@dstack/backend-base';
import { OWNER_LABEL, TOKEN_LABEL } from './labels.js';
import { writeData } from './machine-data.js';
import { regionOf } from './region-of.js';
import { lastPart } from './reservation.js';
import type { GceInstance } from './schema.js';

const SSH_USER = 'ubuntu';

export function refOf(instance: GceInstance, operation: string | null): MachineRef {
  const zone = lastPart(instance.zone ?? '');
  return {
    cloudName: instance.name,
    machineId: instance.name,
    region: regionOf(zone),
    zone,
    backendData: writeData({ zone, isTpu: false, operation }),
  };
}

export function listed(instance: GceInstance, owner: string): ListedMachine {
  return {
    ref: refOf(instance, null),
    owner: instance.labels?.[OWNER_LABEL] ?? owner,
    token: instance.labels?.[TOKEN_LABEL] ?? null,
    createdAt: timeOf(instance.creationTimestamp),
  };
}

export function timeOf(text: string | undefined): number | null {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : at;
}

/** One that is being repaired has lost what ran on it. */
const ENDED: ReadonlySet<string> = new Set([
  ...['PENDING_STOP', 'STOPPING', 'STOPPED', 'TERMINATED', 'DEPROVISIONING'],
  ...['SUSPENDING', 'SUSPENDED', 'REPAIRING'],
]);

export function stateOf(instance: GceInstance, ref: MachineRef, publicIps: boolean): MachineState {
  const { status, statusMessage, scheduling, networkInterfaces } = instance;
  if (ENDED.has(status)) {
    const isTakenBack = scheduling?.provisioningModel === 'SPOT' && status === 'STOPPING';
    const message = isTakenBack ? 'Google takes the spot machine back' : `the machine is ${status}`;
    return { state: 'failed', ref, message: statusMessage ? `${message}: ${statusMessage}` : message };
  }
  if (status !== 'RUNNING') return { state: 'pending', ref, reason: status };
  const [card] = networkInterfaces ?? [];
  const internalIp = card?.networkIP ?? null;
  return readyAt(publicIps ? (card?.accessConfigs?.[0]?.natIP ?? null) : internalIp, internalIp, ref);
}

export function readyAt(address: string | null, internalIp: string | null, ref: MachineRef): MachineState {
  if (address === null) return { state: 'pending', ref, reason: 'it has no address yet' };
  return {
    state: 'ready',
    ref,
    agent: { via: 'login', host: address, port: 22, user: SSH_USER, jump: null },
    hostname: address,
    internalIp,
  };
}
