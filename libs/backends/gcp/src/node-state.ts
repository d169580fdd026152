import type { ListedMachine, MachineRef, MachineState } from '@dstack/backend-base';
import { OWNER_LABEL, TOKEN_LABEL } from './labels.js';
import { writeData } from './machine-data.js';
import { readyAt, timeOf } from './machine-state.js';
import { regionOf } from './offers.js';
import { lastPart } from './reservation.js';
import type { TpuNode } from './schema.js';

export function nodeRef(node: TpuNode, operation: string | null): MachineRef {
  const [, zone = ''] = /\/locations\/([^/]+)\//.exec(node.name) ?? [];
  const name = lastPart(node.name);
  return {
    cloudName: name,
    machineId: name,
    region: regionOf(zone),
    zone,
    backendData: writeData({ zone, isTpu: true, operation }),
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

const STARTING: ReadonlySet<string> = new Set(['STATE_UNSPECIFIED', 'CREATING', 'STARTING']);

export function nodeState(node: TpuNode, ref: MachineRef, publicIps: boolean): MachineState {
  const { state, healthDescription, networkEndpoints } = node;
  if (STARTING.has(state)) return { state: 'pending', ref, reason: state };
  if (state !== 'READY') {
    const message = state === 'PREEMPTED' ? 'Google has taken the spot TPU back' : `the TPU is ${state}`;
    return { state: 'failed', ref, message: healthDescription ? `${message}: ${healthDescription}` : message };
  }
  const [first] = networkEndpoints ?? [];
  const internalIp = first?.ipAddress ?? null;
  return readyAt(publicIps ? (first?.accessConfig?.externalIp ?? null) : internalIp, internalIp, ref);
}
