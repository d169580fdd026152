import {
  checkGatewayUpdate,
  describeChanges,
  displayBackend,
  type GatewayConfiguration,
  gatewayDomain,
  generatedUniqueName,
  parseConfigurationValue,
  sshHosts,
  type SshHost,
  type Wire,
  withoutPrivateKeys,
} from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { hasRole, type ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { configurationOf, Policies } from '../policies/policies.js';
import { acceptParsed } from '../runs/parse-spec.js';
import { WORLD, type World } from '../world/world.js';
import { GatewayReader } from './gateway-reader.js';
import { findGateways, findNamedGateway, type GatewayRecord } from './gateway-record.js';
import { findImportedGateway, findImportedGateways, isSharedWithUser } from './imported-gateways.js';
import { GatewaySecrets } from './gateway-secrets.js';
import { gatewayTarget } from './gateway-target.js';

interface Wanted {
  /** Without private keys. */
  readonly configuration: GatewayConfiguration;
  /** Null: its machines are rented. */
  readonly hosts: readonly SshHost[] | null;
}

@Injectable()
export class GatewaysService {
  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(GatewayReader) private readonly reader: GatewayReader,
    @Inject(GatewaySecrets) private readonly secrets: GatewaySecrets,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(WORLD) private readonly world: World,
    @Inject(Policies) private readonly policies: Policies,
  ) {}

  list({ projectId }: ProjectScope, request: Wire.ListGatewaysRequest): Promise<Wire.Gateway[]> {
    return this.db.read(async (tx) => {
      const own = 'project_id = ? AND deleted = ? ORDER BY created_at DESC, id';
      const imported = request.include_imported === true ? await findImportedGateways(tx, projectId) : [];
      return this.reader.wire(tx, projectId, [...(await findGateways(tx, own, [projectId, false])), ...imported]);
    });
  }

  /** Who is no member of the project sees what is shared with one of his. */
  get(scope: ProjectScope, { name }: Wire.GetGatewayRequest): Promise<Wire.Gateway> {
    return this.db.read(async (tx) => {
      const gateway = await named(tx, scope, name);
      if (!hasRole(scope, 'user') && !scope.isPublic && !(await isSharedWithUser(tx, gateway, scope.caller.id)))
        throw new ResourceNotExistsError(`Gateway ${name} not found`);
      return this.one(tx, gateway);
    });
  }

  async plan(scope: ProjectScope, { spec }: Wire.GetGatewayPlanRequest): Promise<Wire.GatewayPlan> {
    const { configuration } = await this.wanted(scope, spec.configuration, ['spec', 'configuration']);
    const name = configuration.name ?? null;
    const current = name === null ? null : await this.db.read((tx) => findNamedGateway(tx, scope.projectId, name));
    const given = { ...spec, configuration };
    const effective = current === null ? configuration : keepUnset(configuration, current);
    const canUpdate =
      current !== null &&
      current.status !== 'failed' &&
      current.deletionRequestedAt === null &&
      checkGatewayUpdate(current.configuration, effective).blockers.length === 0;
    return {
      project_name: scope.projectName,
      user: scope.caller.name,
      spec: given,
      effective_spec: { ...given, configuration: effective },
      current_resource: current === null ? null : await this.db.read((tx) => this.one(tx, current)),
      action: canUpdate ? 'update' : 'create',
    };
  }

  async apply(scope: ProjectScope, { plan, force }: Wire.ApplyGatewayPlanRequest): Promise<Wire.Gateway> {
    const wanted = await this.wanted(scope, plan.spec.configuration, ['plan', 'spec', 'configuration']);
    const name = await this.db.write(async (tx) => {
      const stated = wanted.configuration.name ?? null;
      const current = stated === null ? null : await findNamedGateway(tx, scope.projectId, stated);
      if (current === null) return this.insert(tx, scope, wanted);
      await this.update(tx, scope, current, wanted, { seenId: plan.current_resource?.id ?? null, force });
      return current.name;
    });
    return this.get(scope, { name });
  }

  async create(scope: ProjectScope, request: Wire.CreateGatewayRequest): Promise<Wire.Gateway> {
    const wanted = await this.wanted(scope, request.configuration, ['configuration']);
    const name = await this.db.write((tx) => this.insert(tx, scope, wanted));
    return this.get(scope, { name });
  }

  /** Services that run keep their gateway unless `force` says otherwise: without it nobody reaches them. */
  async delete(scope: ProjectScope, { names }: Wire.DeleteGatewaysRequest, force: boolean): Promise<void> {
    await this.db.write(async (tx) => {
      for (const name of new Set(names)) {
        const gateway = await named(tx, scope, name);
        if (gateway.deletionRequestedAt !== null) continue;
        const services = await servicesOf(tx, gateway);
        if (services.length > 0 && !force) throw new ClientError(inUse(gateway, services));
        const now = await tx.now();
        await tx.execute('UPDATE gateways SET deletion_requested_at = ?, rev = rev + 1 WHERE id = ?', [
          now,
          gateway.id,
        ]);
        await tx.execute('UPDATE projects SET default_gateway_id = NULL WHERE default_gateway_id = ?', [gateway.id]);
        await tx.execute('DELETE FROM exported_gateways WHERE gateway_id = ?', [gateway.id]);
        await this.wake.rows(tx, 'gateways', [gateway.id]);
        await this.record(tx, scope, gateway, 'Gateway marked for deletion');
        for (const { id, name: runName, project_id: runProject } of services)
          await this.events.record(tx, {
            message: `The gateway ${gateway.name} of the service is deleted: nobody reaches the service any more`,
            actorId: scope.caller.id,
            targets: [{ type: 'run', id, name: runName, projectId: runProject, runId: id }],
          });
      }
    });
  }

  async setDefault(scope: ProjectScope, request: Wire.SetDefaultGatewayRequest): Promise<void> {
    const owner = request.gateway_project ?? scope.projectName;
    await this.db.write(async (tx) => {
      const isOwn = owner.toLowerCase() === scope.projectName.toLowerCase();
      const gateway = isOwn
        ? await named(tx, scope, request.name)
        : await findImportedGateway(tx, scope.projectId, owner, request.name);
      if (gateway === null)
        throw new ResourceNotExistsError(`Gateway ${owner}/${request.name} is not imported into ${scope.projectName}`);
      await this.changeDefault(tx, scope, gateway, true);
    });
  }

  async setWildcardDomain(
    scope: ProjectScope,
    { name, wildcard_domain: domain }: Wire.SetWildcardDomainRequest,
  ): Promise<Wire.Gateway> {
    requireDomain(domain, scope);
    await this.db.write(async (tx) => {
      const gateway = await named(tx, scope, name);
      await this.changeDomain(tx, scope, gateway, domain);
    });
    return this.get(scope, { name });
  }

  private async wanted(scope: ProjectScope, given: unknown, at: readonly string[]): Promise<Wanted> {
    const spec = { configuration: readGateway(given, at), configuration_path: null };
    const { configuration: parsed } = await this.policies.apply('gateway', scope, spec, (changed) => ({
      configuration: readGateway(configurationOf(changed), []),
      configuration_path: null,
    }));
    if (parsed.domain) requireDomain(parsed.domain, scope);
    const { configuration } = withoutPrivateKeys({ configuration: parsed });
    if (parsed.ssh_config === undefined) {
      await this.refuseBackendWithout(scope, parsed);
      return { configuration, hosts: null };
    }
    const read = sshHosts({ ssh_config: parsed.ssh_config, blocks: 1 });
    if (!read.ok) throw new ClientError(read.problems.join('\n'));
    return { configuration, hosts: read.hosts };
  }

  private async refuseBackendWithout(
    { projectId, projectName }: ProjectScope,
    { backend, public_ip: publicIp, certificate }: GatewayConfiguration,
  ): Promise<void> {
    const account = (await this.accounts.ofProject(projectId)).find(({ type }) => type === backend);
    const name = displayBackend(backend);
    if (account === undefined)
      throw new ClientError(`Backend ${name} is not configured in project ${projectName}`, 'backend_not_available');
    if (account.compute.gateways === undefined)
      throw new ClientError(
        `Backend ${name} has no gateways in this version. A host of yours can be one: backend: ssh`,
      );
    if (publicIp === false && !account.definition.capabilities.privateGateways)
      throw new ClientError(`Backend ${name} has no gateways without a public IP: remove \`public_ip: false\``);
    if (certificate?.type === 'acm' && !account.definition.capabilities.gatewayBalancers)
      throw new ClientError(`Backend ${name} has no load balancers with acm certificates: use lets-encrypt, or null`);
  }

  private async insert(tx: WriteTx, scope: ProjectScope, { configuration, hosts }: Wanted): Promise<string> {
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

  private async update(
    tx: WriteTx,
    scope: ProjectScope,
    current: GatewayRecord,
    { configuration: stated, hosts }: Wanted,
    { seenId, force }: { readonly seenId: string | null; readonly force: boolean },
  ): Promise<void> {
    if (current.deletionRequestedAt !== null)
      throw new ClientError(`Gateway ${current.name} is being deleted. Apply again when it is gone`);
    if (current.status === 'failed')
      throw new ResourceExistsError(`Gateway ${current.name} has failed. Delete it, and apply again`);
    const configuration = keepUnset(stated, current);
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

  private async changeDomain(tx: WriteTx, scope: ProjectScope, gateway: GatewayRecord, domain: string): Promise<void> {
    const configuration = { ...gateway.configuration, domain };
    await tx.execute('UPDATE gateways SET configuration = ?, wildcard_domain = ?, rev = rev + 1 WHERE id = ?', [
      writeJson(configuration),
      domain,
      gateway.id,
    ]);
    await this.record(tx, scope, gateway, `Gateway domain set to ${domain}. Services that run keep their addresses`);
  }

  private async changeDefault(
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

  private async one(tx: ReadTx, gateway: GatewayRecord): Promise<Wire.Gateway> {
    const [wire] = await this.reader.wire(tx, gateway.projectId, [gateway]);
    if (wire === undefined) throw new ResourceNotExistsError(`Gateway ${gateway.name} not found`);
    return wire;
  }

  private record(
    tx: WriteTx,
    { caller }: ProjectScope,
    gateway: Pick<GatewayRecord, 'id' | 'name' | 'projectId'>,
    message: string,
  ): Promise<void> {
    return this.events.record(tx, { message, actorId: caller.id, targets: [gatewayTarget(gateway)] });
  }
}

async function named(tx: ReadTx, { projectId }: ProjectScope, name: string): Promise<GatewayRecord> {
  const gateway = await findNamedGateway(tx, projectId, name);
  if (gateway === null) throw new ResourceNotExistsError(`Gateway ${name} not found`);
  return gateway;
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

interface ServedRun {
  readonly id: string;
  readonly name: string;
  readonly project_id: string;
  readonly project_name: string;
}

async function servicesOf(tx: ReadTx, { id }: GatewayRecord): Promise<ServedRun[]> {
  return tx.query<ServedRun>(
    `SELECT r.id, r.name, r.project_id, p.name AS project_name FROM runs r JOIN projects p ON p.id = r.project_id
     WHERE r.gateway_id = ? AND r.deleted = ? AND r.status NOT IN ('terminated', 'failed', 'done') ORDER BY r.name, p.name`,
    [id, false],
  );
}

function inUse({ name, projectId }: GatewayRecord, services: readonly ServedRun[]): string {
  const runs = services.map((run) => (run.project_id === projectId ? run.name : `${run.project_name}/${run.name}`));
  return (
    `Gateway ${name} serves ${runs.join(', ')}. Stop them first, or delete it with \`--force\`: ` +
    'nobody reaches them then'
  );
}

/** What an update leaves out stays as it is. */
function keepUnset(stated: GatewayConfiguration, { configuration, name }: GatewayRecord): GatewayConfiguration {
  return { ...stated, name, default: stated.default ?? configuration.default ?? null };
}

function requireDomain(domain: string, { projectName }: ProjectScope): void {
  const resolved = gatewayDomain(domain, projectName);
  if (!resolved.ok) throw new ClientError(resolved.problem);
}

function readGateway(value: unknown, at: readonly string[]): GatewayConfiguration {
  const parsed = acceptParsed(parseConfigurationValue(value, ['gateway']), at);
  if (parsed.type !== 'gateway') throw new ClientError('The configuration is not of a gateway');
  return parsed;
}
