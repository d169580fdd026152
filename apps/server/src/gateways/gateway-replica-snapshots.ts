import { Inject, Injectable } from '@nestjs/common';
import { type GatewayReplicaSnapshot, isGoneForGood } from '@dstack/core';
import type { ReadTx } from '../persistence/transaction.js';
import type { Observed } from '../reconcile/reconciler.js';
import { hasBalancer } from './gateway-balancers.js';
import { GatewayHosts } from './gateway-hosts.js';
import { findGateways, type GatewayRecord } from './gateway-record.js';
import { findGatewayReplicas, type GatewayReplicaRecord } from './gateway-replica-record.js';

/** The snapshot for the decision, and the rows behind it for the effects. */
export interface GatewayReplicaView {
  readonly snapshot: GatewayReplicaSnapshot;
  readonly record: GatewayReplicaRecord;
  readonly gateway: GatewayRecord;
  readonly projectName: string;
  readonly projectPublicKey: string;
}

@Injectable()
export class GatewayReplicaSnapshots {
  constructor(@Inject(GatewayHosts) private readonly hosts: GatewayHosts) {}

  async load(id: string, tx: ReadTx): Promise<Observed<GatewayReplicaView> | null> {
    const [record] = await findGatewayReplicas(tx, 'id = ?', [id]);
    if (record === undefined || record.deleted) return null;
    const [gateway] = await findGateways(tx, 'id = ?', [record.gatewayId]);
    if (gateway === undefined) return null;
    const [project] = await tx.query<{ name: string; ssh_public_key: string }>(
      'SELECT name, ssh_public_key FROM projects WHERE id = ?',
      [gateway.projectId],
    );
    return {
      snapshot: {
        snapshot: this.snapshotOf(record, gateway),
        record,
        gateway,
        projectName: project?.name ?? '',
        projectPublicKey: project?.ssh_public_key ?? '',
      },
      restsOn: [],
    };
  }

  private snapshotOf(record: GatewayReplicaRecord, gateway: GatewayRecord): GatewayReplicaSnapshot {
    const { createdAt, statusChangedAt, isUnwanted, trouble, hostName, installedDigest } = record;
    const base = { createdAt, statusChangedAt, isUnwanted, isOwnHost: hostName !== null, trouble };
    switch (record.status) {
      case 'submitted':
        return { ...base, status: 'submitted', isNamed: record.cloudName !== null };
      case 'provisioning':
        return {
          ...base,
          status: 'provisioning',
          machine: machineOf(record),
          machineMessage: record.machine?.message ?? null,
          isInstalled: installedDigest !== null,
          hasToJoin: hasBalancer(gateway) && record.machine?.balancer === undefined,
        };
      case 'running': {
        const wanted = installedDigest === null ? null : this.hosts.wantedDigest(installedDigest);
        return {
          ...base,
          status: 'running',
          machine: machineOf(record),
          unreachableSince: record.unreachableSince,
          isOutdated: wanted !== null && wanted !== installedDigest,
        };
      }
      case 'terminating':
        return { ...base, status: 'terminating', isGone: isGone(record) };
      case 'terminated':
        return { ...base, status: 'terminated' };
    }
  }
}

function machineOf({ hostName, machine }: GatewayReplicaRecord): 'none' | 'starting' | 'ready' | 'failed' | 'gone' {
  if (hostName !== null) return 'ready';
  if (machine === null) return 'none';
  return machine.state === 'pending' ? 'starting' : machine.state;
}

function isGone(record: GatewayReplicaRecord): boolean {
  const { hostName, wasVisited, machine } = record;
  if (hostName !== null) return !wasVisited;
  return isGoneForGood(machine !== null && machine.state !== 'gone', [record]);
}
