import {
  checkGatewayUpdate,
  displayBackend,
  type GatewayConfiguration,
  gatewayDomain,
  keepUnsetOfGateway,
  parseConfigurationValue,
  sshHosts,
  type Wire,
  withoutPrivateKeys,
} from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { hasRole, type ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceNotExistsError } from '../http/api-errors.js';
import { ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import type { ReadTx } from '../persistence/transaction.js';
import { Wake } from '../reconcile/wake.js';
import { configurationOf, Policies } from '../policies/policies.js';
import { acceptParsed } from '../runs/parse-spec.js';
import { GatewayChanges, type WantedGateway } from './gateway-changes.js';
import { GatewayReader } from './gateway-reader.js';
import { findGateways, findNamedGateway, type GatewayRecord } from './gateway-record.js';
import { findImportedGateway, findImportedGateways, isSharedWithUser } from './imported-gateways.js';
import { inUse, servicesOf } from './served-runs.js';

@Injectable()
export class GatewaysService {
  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(GatewayReader) private readonly reader: GatewayReader,
    @Inject(GatewayChanges) private readonly changes: GatewayChanges,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(Wake) private readonly wake: Wake,
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
    const effective = current === null ? configuration : keepUnsetOfGateway(configuration, current);
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
      if (current === null) return this.changes.insert(tx, scope, wanted);
      await this.changes.update(tx, scope, current, wanted, { seenId: plan.current_resource?.id ?? null, force });
      return current.name;
    });
    return this.get(scope, { name });
  }

  async create(scope: ProjectScope, request: Wire.CreateGatewayRequest): Promise<Wire.Gateway> {
    const wanted = await this.wanted(scope, request.configuration, ['configuration']);
    const name = await this.db.write((tx) => this.changes.insert(tx, scope, wanted));
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
        await this.changes.record(tx, scope, gateway, 'Gateway marked for deletion');
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
      await this.changes.changeDefault(tx, scope, gateway, true);
    });
  }

  async setWildcardDomain(
    scope: ProjectScope,
    { name, wildcard_domain: domain }: Wire.SetWildcardDomainRequest,
  ): Promise<Wire.Gateway> {
    requireDomain(domain, scope);
    await this.db.write(async (tx) => {
      const gateway = await named(tx, scope, name);
      await this.changes.changeDomain(tx, scope, gateway, domain);
    });
    return this.get(scope, { name });
  }

  private async wanted(scope: ProjectScope, given: unknown, at: readonly string[]): Promise<WantedGateway> {
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

  private async one(tx: ReadTx, gateway: GatewayRecord): Promise<Wire.Gateway> {
    const [wire] = await this.reader.wire(tx, gateway.projectId, [gateway]);
    if (wire === undefined) throw new ResourceNotExistsError(`Gateway ${gateway.name} not found`);
    return wire;
  }
}

async function named(tx: ReadTx, { projectId }: ProjectScope, name: string): Promise<GatewayRecord> {
  const gateway = await findNamedGateway(tx, projectId, name);
  if (gateway === null) throw new ResourceNotExistsError(`Gateway ${name} not found`);
  return gateway;
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
