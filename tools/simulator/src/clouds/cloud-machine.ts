import type { MachineRef, MachineState } from '@dstack/backend-base';
import type { AddressOf } from '../hosts/agent-address.js';
import type { SimulatedAgent } from '../hosts/simulated-agent.js';

export interface CloudMachine {
  readonly id: string;
  readonly cloudName: string;
  readonly owner: string;
  readonly token: string | null;
  readonly region: string;
  readonly zone: string | null;
  readonly createdAt: number;
  readonly readyAt: number;
  /** It never gets ready, and says so. */
  readonly fails: boolean;
  isAlive: boolean;
  terminationAskedAt: number | null;
  readonly terminationMs: number;
  /** Of a gateway's it is never started. */
  readonly agent: SimulatedAgent;
  readonly isForGateway: boolean;
  /** Of one that was made with others: the id of all of them, and which one it is. */
  readonly group: { readonly id: string; readonly rank: number } | null;
}

export function refOf({ cloudName, id, region, zone, group }: CloudMachine): MachineRef {
  return { cloudName, machineId: group?.id ?? id, region, zone, backendData: dataOf(group?.rank ?? 0) };
}

/** Another one of the group. */
export function memberOf(first: MachineRef, rank: number): MachineRef {
  return { ...first, backendData: dataOf(rank) };
}

export function rankIn({ backendData }: MachineRef): number {
  return Number(backendData ?? 0);
}

function dataOf(rank: number): string | null {
  return rank === 0 ? null : String(rank);
}

export function stateOf(machine: CloudMachine, now: number, addressOf: AddressOf): MachineState {
  if (!machine.isAlive) return { state: 'gone' };
  const ref = refOf(machine);
  if (now < machine.readyAt) return { state: 'pending', ref };
  if (machine.fails) return { state: 'failed', ref, message: 'it did not start' };
  return { state: 'ready', ref, agent: addressOf(machine.id), hostname: machine.id, internalIp: null };
}
