import type { ListedMachine, MachineRef, MachineState } from '@dstack/backend-base';
import { OWNER_LABEL, TOKEN_LABEL } from './labels.js';
import { readData, writeData } from './machine-data.js';
import { readyAt, timeOf } from './machine-state.js';
import { regionOf } from './region-of.js';
import { lastPart } from './reservation.js';
import type { TpuNode } from './schema.js';

export function nodeRef(node: TpuNode, operation: string | null, host = 0): MachineRef {
  const [, zone = ''] = /\/locations\/([^/]+)\//.exec(node.name) ?? [];
  const name = lastPart(node.name);
  return {
    cloudName: name,
    machineId: name,
    region: regionOf(zone),
    zone,
    backendData: writeData({ zone, isTpu: true, operation, host }),
  };
}

export function listedNode(node: TpuNode, owner: string): ListedMachine {
  return {
    ref: nodeRef(node, null),
    owner,
    token: node.labels?.[TOKEN_LABEL] ?? null,
    createdAt: timeOf(node.createTime),
  };
}

export function isOwnedBy({ labels }: TpuNode, owner: string): boolean {
  return labels?.[OWNER_LABEL] === owner;
}

const ENDED: ReadonlySet<string> = new Set([
  ...['STOPPING', 'STOPPED', 'PREEMPTED', 'TERMINATED', 'DELETING'],
  ...['REPAIRING', 'REIMAGING', 'RESTARTING', 'HIDING', 'HIDDEN', 'UNHIDING'],
]);

/** Of one of its hosts: the first, unless the reference names another. */
export function nodeState(node: TpuNode, ref: MachineRef, publicIps: boolean): MachineState {
  const { state, healthDescription, networkEndpoints } = node;
  if (ENDED.has(state)) {
    const message = state === 'PREEMPTED' ? 'Google has taken the spot TPU back' : `the TPU is ${state}`;
    return { state: 'failed', ref, message: healthDescription ? `${message}: ${healthDescription}` : message };
  }
  if (state !== 'READY') return { state: 'pending', ref, reason: state };
  // A slice of several hosts is one node with an address for each, in the order of their numbers.
  const addresses = (networkEndpoints ?? []).map((each) =>
    publicIps ? each.accessConfig?.externalIp : each.ipAddress,
  );
  const host = readData(ref)?.host ?? 0;
  const isComplete = addresses.every((address) => address !== undefined);
  return readyAt(isComplete ? (addresses[host] ?? null) : null, networkEndpoints?.[host]?.ipAddress ?? null, ref);
}
