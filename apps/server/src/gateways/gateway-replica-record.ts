import type { HostLogin, AgentAddress, MachineRef } from '@dstack/backend-base';
import type { Trouble, InternalBackendType, Wire } from '@dstack/core';
import type { ReadTx, SqlValue } from '../persistence/transaction.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';
import type { JoinedBalancer } from './gateway-balancers.js';

/** What the backend last said about the machine. */
export interface GatewayMachine {
  readonly ref: MachineRef;
  readonly state: 'pending' | 'ready' | 'failed' | 'gone';
  readonly message: string | null;
  readonly login: HostLogin | null;
  /** Where people reach it: an address, or a name. */
  readonly hostname: string | null;
  /** Which sends it requests; absent: none does (yet). */
  readonly balancer?: JoinedBalancer;
}

export interface GatewayReplicaRecord {
  readonly id: string;
  readonly gatewayId: string;
  readonly replicaNum: number;
  readonly status: Wire.GatewayReplicaStatus;
  readonly statusChangedAt: number;
  readonly statusMessage: string | null;
  readonly isUnwanted: boolean;
  readonly backendType: InternalBackendType;
  /** Of a host that nobody rents, as the configuration names it. */
  readonly hostName: string | null;
  readonly cloudName: string | null;
  readonly token: string | null;
  /** When the last create call began whose answer nobody has recorded. */
  readonly askedAt: number | null;
  readonly machine: GatewayMachine | null;
  /** Of the program that was installed; null: none yet. */
  readonly installedDigest: string | null;
  /** Something of ours may be on a host of one's own. */
  readonly wasVisited: boolean;
  readonly trouble: Trouble | null;
  readonly unreachableSince: number | null;
  readonly lastError: string | null;
  readonly createdAt: number;
  readonly deleted: boolean;
  readonly rev: number;
}

interface Row {
  id: string; gateway_id: string; replica_num: number; status: string; status_changed_at: number; status_message: string | null;
  unwanted: boolean | number; backend_type: string; host_name: string | null; cloud_name: string | null; token: string | null;
  asked_at: number | null; machine: string | null; installed_digest: string | null; visited: boolean | number; trouble: string | null;
  unreachable_since: number | null; last_error: string | null; created_at: number; deleted: boolean | number; rev: number;
} // prettier-ignore

function toRecord(row: Row): GatewayReplicaRecord {
  return {
    id: row.id,
    gatewayId: row.gateway_id,
    replicaNum: row.replica_num,
    status: row.status as Wire.GatewayReplicaStatus, // written from the same union
    statusChangedAt: Number(row.status_changed_at),
    statusMessage: row.status_message,
    isUnwanted: Boolean(row.unwanted),
    backendType: row.backend_type as InternalBackendType,
    hostName: row.host_name,
    cloudName: row.cloud_name,
    token: row.token,
    askedAt: row.asked_at,
    machine: readJsonOrNull<GatewayMachine>(row.machine),
    installedDigest: row.installed_digest,
    wasVisited: Boolean(row.visited),
    trouble: readJsonOrNull<Trouble>(row.trouble),
    unreachableSince: row.unreachable_since,
    lastError: row.last_error,
    createdAt: Number(row.created_at),
    deleted: Boolean(row.deleted),
    rev: Number(row.rev),
  };
}

export async function findGatewayReplicas(
  tx: ReadTx,
  where: string,
  params: readonly SqlValue[],
): Promise<GatewayReplicaRecord[]> {
  const rows = await tx.query<Row>(`SELECT * FROM gateway_replicas WHERE ${where}`, params);
  return rows.map(toRecord);
}

/** In the order of their numbers, those that are not forgotten. */
export function findReplicasOf(tx: ReadTx, gatewayId: string): Promise<GatewayReplicaRecord[]> {
  return findGatewayReplicas(tx, 'gateway_id = ? AND deleted = ? ORDER BY replica_num, created_at', [gatewayId, false]);
}

/** Where people reach it. */
export function hostnameOf({ hostName, machine }: GatewayReplicaRecord): string | null {
  return hostName ?? machine?.hostname ?? null;
}

export function loginOf(agent: AgentAddress | HostLogin): HostLogin | null {
  if (agent.via === 'unix') return null;
  const { host, port, user, jump } = agent;
  return { via: 'login', host, port, user, jump };
}
