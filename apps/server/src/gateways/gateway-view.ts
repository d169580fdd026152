import { toWireBackend, type Wire } from '@dstack/core';
import { toWireTime } from '../http/wire-time.js';
import { hasBalancer } from './gateway-balancers.js';
import type { GatewayRecord } from './gateway-record.js';
import { type GatewayReplicaRecord, hostnameOf } from './gateway-replica-record.js';

export interface GatewayViewFacts {
  readonly gateway: GatewayRecord;
  readonly replicas: readonly GatewayReplicaRecord[];
  readonly projectName: string;
  readonly isDefault: boolean;
}

/** The contract's gateway, and what it leaves out: that it is being deleted. */
export type ExplainedGateway = Wire.Gateway & { readonly status_display: string };

export function toWireGateway({ gateway, replicas, projectName, isDefault }: GatewayViewFacts): ExplainedGateway {
  const backend = toWireBackend(gateway.backendType);
  const { region } = gateway;
  const shown = replicas.filter(({ status, isUnwanted }) => status !== 'terminated' || !isUnwanted);
  const hostnames = shown.flatMap((replica) => hostnameOf(replica) ?? []);
  const hostname = hasBalancer(gateway) ? balancerOf(shown) : hostnames.length === 1 ? (hostnames[0] ?? null) : null;
  return {
    id: gateway.id,
    name: gateway.name,
    project_name: projectName,
    configuration: gateway.configuration,
    created_at: toWireTime(gateway.createdAt),
    status: gateway.status,
    status_message: gateway.statusMessage ?? shown.map(explain).find((text) => text !== null) ?? null,
    status_display: gateway.deletionRequestedAt === null ? gateway.status : 'deleting',
    hostname,
    wildcard_domain: gateway.wildcardDomain,
    default: isDefault,
    replicas: shown.map((replica) => ({
      hostname: hostnameOf(replica),
      replica_num: replica.replicaNum,
      backend,
      region,
      created_at: toWireTime(replica.createdAt),
      status: replica.status,
      status_message: explain(replica),
    })),
    backend,
    region,
    ip_address: hostname,
    instance_id: shown[0]?.machine?.ref.machineId ?? null,
  };
}

/** The names of services lead to it, and not to a machine. */
function balancerOf(replicas: readonly GatewayReplicaRecord[]): string | null {
  return replicas.flatMap(({ machine }) => machine?.balancer?.hostname ?? [])[0] ?? null;
}

/** What a person should know about a replica that is not as it should be. */
function explain({ status, statusMessage, unreachableSince, lastError, trouble }: GatewayReplicaRecord): string | null {
  if (status === 'running' && unreachableSince !== null)
    return `cannot be reached since ${toWireTime(unreachableSince)}, it goes on serving what it knows: ${lastError ?? 'no answer'}`;
  return trouble?.message ?? statusMessage ?? lastError;
}
