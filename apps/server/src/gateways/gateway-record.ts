import type { CertificateKind, GatewayConfiguration, GatewayFact, InternalBackendType, Wire } from '@dstack/core';
import type { ReadTx, SqlValue } from '../persistence/transaction.js';
import { readJson } from '../reconcile/stored-json.js';

/** A gateway without its keys: those are read by `GatewaySecrets` alone. */
export interface GatewayRecord {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly name: string;
  readonly status: Wire.GatewayStatus;
  readonly statusChangedAt: number;
  readonly statusMessage: string | null;
  readonly configuration: GatewayConfiguration;
  readonly backendType: InternalBackendType;
  readonly region: string;
  readonly wildcardDomain: string | null;
  readonly desiredReplicaCount: number;
  /** Of the pair that opens the hosts of replicas to it. */
  readonly sshPublicKey: string;
  readonly failures: number;
  readonly lastFailureAt: number | null;
  readonly createdAt: number;
  readonly deletionRequestedAt: number | null;
  readonly deleted: boolean;
  readonly rev: number;
}

interface Row {
  id: string; project_id: string; user_id: string; name: string; status: string; status_changed_at: number; status_message: string | null;
  configuration: string; backend_type: string; region: string; wildcard_domain: string | null; desired_replica_count: number;
  ssh_public_key: string; failures: number; last_failure_at: number | null; created_at: number; deletion_requested_at: number | null;
  deleted: boolean | number; rev: number;
} // prettier-ignore

function toRecord(row: Row): GatewayRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    userId: row.user_id,
    name: row.name,
    status: row.status as Wire.GatewayStatus, // written from the same union
    statusChangedAt: Number(row.status_changed_at),
    statusMessage: row.status_message,
    configuration: readJson<GatewayConfiguration>(row.configuration),
    backendType: row.backend_type as InternalBackendType,
    region: row.region,
    wildcardDomain: row.wildcard_domain,
    desiredReplicaCount: row.desired_replica_count,
    sshPublicKey: row.ssh_public_key,
    failures: row.failures,
    lastFailureAt: row.last_failure_at,
    createdAt: Number(row.created_at),
    deletionRequestedAt: row.deletion_requested_at,
    deleted: Boolean(row.deleted),
    rev: Number(row.rev),
  };
}

export async function findGateways(tx: ReadTx, where: string, params: readonly SqlValue[]): Promise<GatewayRecord[]> {
  const rows = await tx.query<Row>(`SELECT * FROM gateways WHERE ${where}`, params);
  return rows.map(toRecord);
}

export async function findNamedGateway(tx: ReadTx, projectId: string, name: string): Promise<GatewayRecord | null> {
  const [found] = await findGateways(tx, 'project_id = ? AND name = ? AND deleted = ?', [projectId, name, false]);
  return found ?? null;
}

/** As whoever wants to serve through it has to know it. */
export function gatewayFact(gateway: GatewayRecord, runningReplicas: number): GatewayFact {
  return {
    name: gateway.name,
    status: gateway.status,
    isBeingDeleted: gateway.deletionRequestedAt !== null,
    runningReplicas,
    domain: gateway.wildcardDomain,
    certificate: certificateOf(gateway),
  };
}

export function certificateOf({ configuration }: Pick<GatewayRecord, 'configuration'>): CertificateKind {
  const { certificate } = configuration;
  return certificate === null ? null : (certificate?.type ?? 'lets-encrypt');
}
