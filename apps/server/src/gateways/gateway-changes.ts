import {
  checkGatewayUpdate,
  describeChanges,
  type GatewayConfiguration,
  generatedUniqueName,
  keepUnsetOfGateway,
  type SshHost,
} from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import type { ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError } from '../http/api-errors.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { findGateways, type GatewayRecord } from './gateway-record.js';
import { GatewaySecrets } from './gateway-secrets.js';
import { gatewayTarget } from './gateway-target.js';

/** A gateway as it is applied. */
export interface WantedGateway {
  /** Without private keys. */
  readonly configuration: GatewayConfiguration;
  /** Null: its machines are rented. */
  readonly hosts: readonly SshHost[] | null;
}

/** Makes and changes gateways in the database, wakes whom it concerns, and records who did it. */
@Injectable()
export class GatewayChanges {
  constructor(
    @Inject(GatewaySecrets) private readonly secrets: GatewaySecrets,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async insert(tx: WriteTx, scope: ProjectScope, { configuration, hosts }: WantedGateway): Promise<string> {
    const { projectId, caller } = scope;
    const taken = await takenNames(tx, projectId);
    const stated = configuration.name ?? null;
    if (stated !== null && taken.has(stated)) throw new ResourceExistsError(`Gateway ${stated} exists already`);
    const name = stated ?? generatedUniqueName(() => this.world.random.next(), (each) => taken.has(each)); // prettier-ignore
    const now = await tx.now();
    const id = this.world.ids.uuid();
    const keys = this.secrets.newPair(name);
    await tx.execute(
      `INSERT INTO gateways (id, project_id, user_id, name, status, status_changed_at, configuration, backend_type, region,
         wildcard_domain, desired_replica_count, ssh_public_key, ssh_private_key, host_access, created_at, next_due_at)
       VALUES (?, ?, ?, ?, 'submitted', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        id,
        projectId,
        caller.id,
        name,
        now,
        writeJson({ ...configuration, name }),
        configuration.backend,
        configuration.region,
        configuration.domain ?? null,
        hosts?.length ?? configuration.replicas ?? 1,
        keys.publicKey,
        keys.privateKey,
        hosts === null ? null : this.secrets.seal(hosts),
        now,
        now,
      ],
    );
    this.wake.topic(tx, 'gateways');
    const gateway = { id, name, projectId };
    await this.record(tx, scope, gateway, 'Gateway created. Status: SUBMITTED');
    if (configuration.default ?? !(await hasDefault(tx, projectId))) await this.changeDefault(tx, scope, gateway, true);
    return name;
  }

  async update(
    tx: WriteTx,
    scope: ProjectScope,
    current: GatewayRecord,
    { configuration: stated, hosts }: WantedGateway,
    { seenId, force }: { readonly seenId: string | null; readonly force: boolean },
  ): Promise<void> {
    if (current.deletionRequestedAt !== null)
      throw new ClientError(`Gateway ${current.name} is being deleted. Apply again when it is gone`);
    if (current.status === 'failed')
      throw new ResourceExistsError(`Gateway ${current.name} has failed. Delete it, and apply again`);
    const configuration = keepUnsetOfGateway(stated, current);
    const { blockers, isChanged } = checkGatewayUpdate(current.configuration, configuration);
    if (blockers.length > 0)
      throw new ResourceExistsError(
        `Gateway ${current.name} cannot be changed in place. Delete it first: ${blockers.join(', ')}`,
      );
    if (isChanged && !force && seenId !== current.id)
      throw new ClientError('The gateway has changed since the plan was made. Get a new plan and apply again');
    // The same hosts with new keys.
    if (hosts !== null && (await this.secrets.writeHosts(tx, current.id, hosts))) await this.wakeAll(tx, current.id);
    if (typeof stated.default === 'boolean') await this.changeDefault(tx, scope, current, stated.default);
    if (!isChanged) return;
    await tx.execute(
      `UPDATE gateways SET configuration = ?, wildcard_domain = ?, desired_replica_count = ?, failures = 0, last_failure_at = NULL,
         rev = rev + 1 WHERE id = ?`,
      [
        writeJson({ ...configuration, name: current.name }),
        configuration.domain ?? null,
        hosts?.length ?? configuration.replicas ?? 1,
        current.id,
      ],
    );
    await this.wake.rows(tx, 'gateways', [current.id]);
    await this.record(
      tx,
      scope,
      current,
      `Gateway updated${describeChanges({ ...current.configuration }, { ...configuration })}`,
    );
  }

  async changeDomain(tx: WriteTx, scope: ProjectScope, gateway: GatewayRecord, domain: string): Promise<void> {
    const configuration = { ...gateway.configuration, domain };
    await tx.execute('UPDATE gateways SET configuration = ?, wildcard_domain = ?, rev = rev + 1 WHERE id = ?', [
      writeJson(configuration),
      domain,
      gateway.id,
    ]);
    await this.record(tx, scope, gateway, `Gateway domain set to ${domain}. Services that run keep their addresses`);
  }

  async changeDefault(
    tx: WriteTx,
    scope: ProjectScope,
    gateway: Pick<GatewayRecord, 'id' | 'name' | 'projectId'>,
    isDefault: boolean,
  ): Promise<void> {
    const changed = isDefault
      ? await tx.execute(
          'UPDATE projects SET default_gateway_id = ? WHERE id = ? AND (default_gateway_id IS NULL OR default_gateway_id <> ?)',
          [gateway.id, scope.projectId, gateway.id],
        )
      : await tx.execute('UPDATE projects SET default_gateway_id = NULL WHERE id = ? AND default_gateway_id = ?', [
          scope.projectId,
          gateway.id,
        ]);
    if (changed === 0) return;
    await this.record(tx, scope, gateway, isDefault ? 'Gateway set as default' : 'Gateway is not the default any more');
  }

  private async wakeAll(tx: WriteTx, gatewayId: string): Promise<void> {
    const rows = await tx.query<{ id: string }>(
      'UPDATE gateway_replicas SET trouble = NULL, rev = rev + 1 WHERE gateway_id = ? AND deleted = ? RETURNING id',
      [gatewayId, false],
    );
    await this.wake.rows(tx, 'gateway_replicas', rows.map(({ id }) => id)); // prettier-ignore
  }

  record(
    tx: WriteTx,
    { caller }: ProjectScope,
    gateway: Pick<GatewayRecord, 'id' | 'name' | 'projectId'>,
    message: string,
  ): Promise<void> {
    return this.events.record(tx, { message, actorId: caller.id, targets: [gatewayTarget(gateway)] });
  }
}

async function takenNames(tx: ReadTx, projectId: string): Promise<Set<string>> {
  const gateways = await findGateways(tx, 'project_id = ? AND deleted = ?', [projectId, false]);
  return new Set(gateways.map(({ name }) => name));
}

async function hasDefault(tx: ReadTx, projectId: string): Promise<boolean> {
  const rows = await tx.query(
    'SELECT g.id FROM gateways g JOIN projects p ON p.default_gateway_id = g.id WHERE p.id = ? AND g.deleted = ?',
    [projectId, false],
  );
  return rows.length > 0;
}
