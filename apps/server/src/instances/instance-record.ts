import type { AgentInfo } from '@dstack/agent-protocol';
import type { AgentAddress, HostLogin, MachineRef } from '@dstack/backend-base';
import type { InternalBackendType, InternalInstanceStatus, InstanceTerminationReason, Offer, Wire } from '@dstack/core';
import { type HostProgress, readProgress } from '../hosts/host-progress.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, SqlValue } from '../persistence/transaction.js';
import type { GroupMembership } from './machine-group.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';

/** What the backend last said about the machine, and how its end goes. */
export interface MachineRecord {
  readonly ref: MachineRef;
  readonly state: 'pending' | 'ready' | 'failed' | 'gone' | 'unknown';
  readonly message: string | null;
  readonly agent: AgentAddress | null;
  /** Of a machine that came without an agent. */
  readonly login?: HostLogin;
  readonly hostname: string | null;
  readonly internalIp: string | null;
  readonly terminateFailures: number;
  readonly nextTerminateAt: number | null;
  /** Of the agent that was installed over SSH. */
  readonly agentDigest?: string;
  /** Replacing it failed: not tried again before. */
  readonly replaceAgentAt?: number | null;
}

export interface AgentRecord {
  readonly info: AgentInfo | null;
  /** Since when a server has been connected; null while none is. */
  readonly connectedSince: number | null;
  /** When the host would power itself off without a server, as its agent was told; null: never. */
  readonly powerOffAfterMs?: number | null;
  /** What it last said is wrong with the host. */
  readonly incidents?: readonly string[];
}

export interface InstanceRecord {
  readonly id: string;
  readonly projectId: string;
  readonly fleetId: string | null;
  readonly instanceNum: number;
  readonly name: string;
  readonly status: InternalInstanceStatus;
  readonly statusChangedAt: number;
  readonly unreachableSince: number | null;
  readonly health: Wire.HealthStatus;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly backendType: InternalBackendType | null;
  readonly region: string | null;
  readonly zone: string | null;
  readonly offer: Offer | null;
  readonly price: number | null;
  readonly cloudName: string | null;
  readonly machine: MachineRecord | null;
  readonly requirements: Wire.Requirements | null;
  readonly profile: Wire.Profile | null;
  readonly totalBlocks: number | null;
  readonly busyBlocks: number;
  readonly idleSince: number | null;
  readonly idleSeconds: number | null;
  readonly terminationReason: InstanceTerminationReason | null;
  readonly terminationMessage: string | null;
  readonly lastError: string | null;
  readonly provisioningJobId: string | null;
  /** Null: made by itself. */
  readonly group: GroupMembership | null;
  readonly connectionEpoch: number;
  readonly connectionHolder: string | null;
  readonly connectionExpiresAt: number | null;
  readonly agent: AgentRecord;
  /** Set for hosts the user gave us: as the fleet names it. */
  readonly hostName: string | null;
  readonly progress: HostProgress;
  /** It has to go as soon as no job is on it; it gets no new ones. */
  readonly unwanted: InstanceTerminationReason | null;
  readonly deleted: boolean;
  readonly rev: number;
}

interface Row {
  id: string; project_id: string; fleet_id: string | null; instance_num: number; name: string; status: string;
  status_changed_at: number; unreachable_since: number | null; health: string; created_at: number; started_at: number | null;
  finished_at: number | null; backend_type: string | null; region: string | null; zone: string | null; offer: string | null;
  price: number | null; cloud_name: string | null; machine: string | null; requirements: string | null; profile: string | null;
  total_blocks: number | null; busy_blocks: number; idle_since: number | null; idle_seconds: number | null;
  termination_reason: string | null; termination_message: string | null; last_error: string | null;
  provisioning_job_id: string | null; connection_epoch: number; connection_holder: string | null;
  connection_expires_at: number | null; agent_info: string | null; host_name: string | null; progress: string | null;
  unwanted: string | null; group_id: string | null; group_rank: number | null; group_size: number | null; deleted: boolean | number; rev: number;
} // prettier-ignore

function toRecord(row: Row): InstanceRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    fleetId: row.fleet_id,
    instanceNum: row.instance_num,
    name: row.name,
    status: row.status as InternalInstanceStatus, // written from the same union
    statusChangedAt: Number(row.status_changed_at),
    unreachableSince: row.unreachable_since,
    health: row.health as Wire.HealthStatus,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    backendType: row.backend_type as InternalBackendType | null,
    region: row.region,
    zone: row.zone,
    offer: readJsonOrNull<Offer>(row.offer),
    price: row.price,
    cloudName: row.cloud_name,
    machine: readJsonOrNull<MachineRecord>(row.machine),
    requirements: readJsonOrNull<Wire.Requirements>(row.requirements),
    profile: readJsonOrNull<Wire.Profile>(row.profile),
    totalBlocks: row.total_blocks,
    busyBlocks: row.busy_blocks,
    idleSince: row.idle_since,
    idleSeconds: row.idle_seconds,
    terminationReason: row.termination_reason as InstanceTerminationReason | null,
    terminationMessage: row.termination_message,
    lastError: row.last_error,
    provisioningJobId: row.provisioning_job_id,
    group: row.group_id === null ? null : { id: row.group_id, rank: row.group_rank ?? 0, size: row.group_size ?? 1 },
    connectionEpoch: row.connection_epoch,
    connectionHolder: row.connection_holder,
    connectionExpiresAt: row.connection_expires_at,
    agent: readJsonOrNull<AgentRecord>(row.agent_info) ?? { info: null, connectedSince: null },
    hostName: row.host_name,
    progress: readProgress(row.progress),
    unwanted: row.unwanted as InstanceTerminationReason | null,
    deleted: Boolean(row.deleted),
    rev: Number(row.rev),
  };
}

/** Since when some server has had a live connection; null while none has. */
export function connectedSince(instance: InstanceRecord, now: number): number | null {
  const isHeld = instance.connectionExpiresAt !== null && instance.connectionExpiresAt > now;
  return isHeld && instance.unreachableSince === null ? instance.agent.connectedSince : null;
}

const instancesById = rowsByKey({
  select: 'SELECT * FROM instances',
  key: 'id',
  read: (_tx, row: Row) => toRecord(row),
});

export async function findInstance(tx: ReadTx, id: string): Promise<InstanceRecord | null> {
  return (await instancesById(tx, id))[0] ?? null;
}

export async function findInstances(tx: ReadTx, where: string, params: readonly SqlValue[]): Promise<InstanceRecord[]> {
  const rows = await tx.query<Row>(`SELECT * FROM instances WHERE ${where}`, params);
  return rows.map(toRecord);
}
