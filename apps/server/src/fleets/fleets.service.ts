import { Inject, Injectable } from '@nestjs/common';
import {
  checkFleetUpdate,
  describeChanges,
  filtersOfProfile,
  generatedUniqueName,
  isSame,
  isSshFleet,
  planOffers,
  resourceNameProblem,
  type Wire,
  withoutPrivateKeys,
} from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { fromWireTime } from '../http/wire-time.js';
import { InstanceReader } from '../instances/instance-reader.js';
import { findInstances } from '../instances/instance-record.js';
import { explainedOffer } from '../offers/explained-offer.js';
import { type FoundOffers, OffersService } from '../offers/offers.service.js';
import { Database } from '../persistence/database.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { writeSealed } from '../reconcile/sealed-json.js';
import { Wake } from '../reconcile/wake.js';
import { resumeRunsOfProject } from '../placement/waiting-runs.js';
import { either, projectsOf } from '../projects/projects-of.js';
import { fleetsSharedWith, visibleFleets } from '../sharing/shared-with-caller.js';
import { Policies } from '../policies/policies.js';
import { parseFleetSpec } from '../runs/parse-spec.js';
import { WORLD, type World } from '../world/world.js';
import { insertInstance } from './create-instances.js';
import { fleetInstance, terminateInstances } from './fleet.reconciler.js';
import { insertFleet } from './insert-fleet.js';
import { FleetReader } from './fleet-reader.js';
import { findFleets, type FleetRecord, nodesOf } from './fleet-record.js';
import { wakeIdleMachines } from './fleet-surplus.js';
import { findImportedFleets } from './imported-fleets.js';
import { SshFleetHosts } from './ssh-fleet-hosts.js';

const MAX_OFFERS = 50;
const LIST_LIMIT = 100;

/** The contract's fleet plan, with what it leaves out: which backends are missing, and why. */
export type ExplainedFleetPlan = Wire.FleetPlan & { readonly backend_warnings: readonly string[] };

@Injectable()
export class FleetsService {
  private readonly reader: FleetReader;

  constructor(
    private readonly db: Database,
    @Inject(InstanceReader) instances: InstanceReader,
    @Inject(OffersService) private readonly offers: OffersService,
    @Inject(SshFleetHosts) private readonly hosts: SshFleetHosts,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(WORLD) private readonly world: World,
    @Inject(Policies) private readonly policies: Policies,
  ) {
    this.reader = new FleetReader(instances);
  }

  listAll(caller: Caller, request: Wire.ListFleetsRequest): Promise<Wire.Fleet[]> {
    return this.db.read(async (tx) => {
      const projects = projectsOf(caller, request.project_name ? [request.project_name] : null);
      const own = { sql: `project_id IN (${projects.sql})`, params: projects.params };
      const found = request.include_imported === true ? either(own, fleetsSharedWith('id', projects)) : own;
      const conditions = [found.sql];
      const params = [...found.params];
      const add = (condition: string, ...values: (string | number | boolean)[]): void => {
        conditions.push(condition);
        params.push(...values);
      };
      if (request.only_active === true) add('deleted = ?', false);
      const isAscending = request.ascending === true;
      if (request.prev_created_at) {
        const at = fromWireTime(request.prev_created_at);
        add(`(created_at ${isAscending ? '>' : '<'} ? OR (created_at = ? AND id > ?))`, at, at, request.prev_id ?? '');
      }
      const limit = Math.max(0, Math.trunc(Math.min(request.limit ?? LIST_LIMIT, LIST_LIMIT)));
      const order = `ORDER BY created_at ${isAscending ? 'ASC' : 'DESC'}, id ASC LIMIT ${limit}`;
      return this.reader.wire(tx, await findFleets(tx, `${conditions.join(' AND ')} ${order}`, params));
    });
  }

  list(scope: ProjectScope, request: Wire.ListProjectFleetsRequest): Promise<Wire.Fleet[]> {
    return this.db.read(async (tx) => {
      const own = await findFleets(tx, 'project_id = ? AND deleted = ?', [scope.projectId, false]);
      const imported = request.include_imported === true ? await findImportedFleets(tx, scope.projectId) : [];
      return this.reader.wire(tx, [...own, ...imported].sort((a, b) => a.createdAt - b.createdAt)); // prettier-ignore
    });
  }

  async get(scope: ProjectScope, { name, id }: Wire.GetFleetRequest): Promise<Wire.Fleet> {
    if (!name && !id) throw new ClientError('Pass the name or the id of the fleet');
    return this.db.read(async (tx) => {
      const visible = visibleFleets(scope, 'id');
      const which = id ? 'id = ?' : 'name = ? AND deleted = false';
      const found = await findFleets(tx, `project_id = ? AND ${which} AND ${visible.sql}`, [
        scope.projectId,
        id ?? name ?? '',
        ...visible.params,
      ]);
      return this.reader.one(tx, found, name ?? id ?? '');
    });
  }

  async plan(scope: ProjectScope, request: Wire.GetFleetPlanRequest): Promise<ExplainedFleetPlan> {
    const given = parseFleetSpec(request.spec, ['spec']);
    const spec = await this.allowed(scope, given);
    const name = spec.configuration.name ?? null;
    const { current, record } = await this.db.read(async (tx) => {
      const found = name === null ? [] : await this.named(tx, scope, name);
      const [wire] = await this.reader.wire(tx, found);
      await this.hosts.check(tx, spec, found[0]?.id ?? null);
      return { current: wire ?? null, record: found[0] ?? null };
    });
    const { fitting, warnings } = await this.offersFor(scope, spec);
    const planned = planOffers([], fitting, MAX_OFFERS);
    const isUpdate = record !== null && checkFleetUpdate(record.spec, spec).blockers.length === 0;
    return {
      project_name: scope.projectName,
      user: scope.caller.name,
      spec: withoutPrivateKeys(given),
      effective_spec: withoutPrivateKeys(spec),
      current_resource: current,
      offers: planned.offers.map(explainedOffer),
      backend_warnings: warnings,
      total_offers: planned.totalOffers,
      max_offer_price: planned.maxPrice,
      action: isUpdate ? 'update' : 'create',
    };
  }

  async apply(scope: ProjectScope, request: Wire.ApplyFleetPlanRequest): Promise<Wire.Fleet> {
    const spec = await this.allowed(scope, parseFleetSpec(request.plan.spec, ['plan', 'spec']));
    const id = await this.db.write(async (tx) => {
      const name = spec.configuration.name ?? null;
      const [current] = name === null ? [] : await this.named(tx, scope, name);
      if (current === undefined) return this.create(tx, scope, spec);
      const seen = request.plan.current_resource ?? null;
      return this.update(tx, scope, current, spec, { seenId: seen?.id ?? null, force: request.force });
    });
    return this.get(scope, { id });
  }

  async delete(scope: ProjectScope, { names }: Wire.DeleteFleetsRequest): Promise<void> {
    await this.db.write(async (tx) => {
      for (const name of new Set(names)) {
        const [fleet] = await this.named(tx, scope, name);
        if (fleet === undefined) throw new ResourceNotExistsError(`Fleet ${name} not found`);
        await refuseInUse(tx, fleet);
        await tx.execute(`UPDATE fleets SET status = 'terminating', rev = rev + 1 WHERE id = ?`, [fleet.id]);
        await tx.execute('DELETE FROM exported_fleets WHERE fleet_id = ?', [fleet.id]);
        await this.wake.rows(tx, 'fleets', [fleet.id]);
        await this.record(tx, scope, fleet, 'Fleet marked for deletion');
      }
    });
  }

  async deleteInstances(scope: ProjectScope, request: Wire.DeleteFleetInstancesRequest): Promise<void> {
    await this.db.write(async (tx) => {
      const [fleet] = await this.named(tx, scope, request.name);
      if (fleet === undefined) throw new ResourceNotExistsError(`Fleet ${request.name} not found`);
      const instances = await findInstances(tx, 'fleet_id = ? AND deleted = ?', [fleet.id, false]);
      for (const num of request.instance_nums) {
        const instance = instances.find((each) => each.instanceNum === num);
        if (instance === undefined) throw new ResourceNotExistsError(`Fleet ${fleet.name} has no instance ${num}`);
        if (instance.busyBlocks > 0) throw new ClientError(`Instance ${instance.name} is in use. Stop its runs first`);
        await terminateInstances(tx, this.wake, [instance.id], 'terminated_by_user', await tx.now());
      }
      await this.wake.rows(tx, 'fleets', [fleet.id]);
    });
  }

  private async create(tx: WriteTx, scope: ProjectScope, spec: Wire.FleetSpec): Promise<string> {
    const name = spec.configuration.name ?? (await this.freeName(tx, scope.projectId));
    const problem = resourceNameProblem('fleet', name);
    if (problem !== null) throw new ClientError(problem);
    const named = { ...spec, configuration: { ...spec.configuration, name } };
    const id = this.world.ids.uuid();
    await insertFleet(tx, { id, projectId: scope.projectId, name, spec: withoutPrivateKeys(named) });
    const fleet = { id, name, projectId: scope.projectId };
    await this.hosts.apply(tx, fleet, named, { force: false });
    const target = nodesOf(named)?.target ?? 0;
    for (let made = 0; made < target; made += 1) {
      await insertInstance(tx, this.world, fleet, fleetInstance({ spec: named }));
    }
    this.wake.topic(tx, 'fleets');
    this.wake.topic(tx, 'instances');
    await resumeRunsOfProject(tx, this.wake, scope.projectId);
    await this.record(tx, scope, fleet, 'Fleet created. Status: ACTIVE');
    return id;
  }

  private async update(
    tx: WriteTx,
    scope: ProjectScope,
    current: FleetRecord,
    spec: Wire.FleetSpec,
    { seenId, force }: { seenId: string | null; force: boolean },
  ): Promise<string> {
    const stored = withoutPrivateKeys(spec);
    // An SSH fleet that is applied again as it is: hosts that failed are tried again, new keys reach the others.
    if (isSame(current.spec, stored)) {
      await this.hosts.apply(tx, current, spec, { force });
      return current.id;
    }
    const { blockers } = checkFleetUpdate(current.spec, spec);
    if (blockers.length > 0) {
      throw new ResourceExistsError(
        `Fleet ${current.name} cannot be changed in place. Delete it first: ${blockers.join('; ')}`,
      );
    }
    if (!force && seenId !== current.id)
      throw new ClientError('The fleet has changed since the plan was made. Get a new plan and apply again');
    await tx.execute(
      // What it lacks now is made at once, however long the fleet had been failing before.
      'UPDATE fleets SET spec = ?, consolidation_attempt = 0, last_consolidated_at = 0, rev = rev + 1 WHERE id = ?',
      [writeSealed(tx, stored), current.id],
    );
    await this.hosts.apply(tx, current, spec, { force });
    await this.wake.rows(tx, 'fleets', [current.id]);
    await wakeIdleMachines(tx, this.wake, current.id);
    await resumeRunsOfProject(tx, this.wake, scope.projectId);
    await this.record(
      tx,
      scope,
      current,
      `Fleet updated${describeChanges({ ...current.spec.configuration }, { ...stored.configuration })}`,
    );
    return current.id;
  }

  private allowed(scope: ProjectScope, spec: Wire.FleetSpec): Promise<Wire.FleetSpec> {
    return this.policies.apply('fleet', scope, spec, (changed) => parseFleetSpec(changed, []));
  }

  /** Hosts that are there already are no offers. */
  private async offersFor(
    { projectId }: ProjectScope,
    spec: Wire.FleetSpec,
  ): Promise<Pick<FoundOffers, 'fitting' | 'warnings'>> {
    if (isSshFleet(spec.configuration)) return { fitting: [], warnings: [] };
    const { requirements, profile } = fleetInstance({ spec });
    return this.offers.find(projectId, { requirements, filters: filtersOfProfile(profile) });
  }

  private async freeName(tx: ReadTx, projectId: string): Promise<string> {
    const fleets = await findFleets(tx, 'project_id = ? AND deleted = ?', [projectId, false]);
    const taken = new Set(fleets.map((fleet) => fleet.name));
    return generatedUniqueName(
      () => this.world.random.next(),
      (name) => taken.has(name),
    );
  }

  private named(tx: ReadTx, scope: ProjectScope, name: string): Promise<FleetRecord[]> {
    return findFleets(tx, 'project_id = ? AND name = ? AND deleted = ?', [scope.projectId, name, false]);
  }

  private record(
    tx: WriteTx,
    scope: ProjectScope,
    fleet: Pick<FleetRecord, 'id' | 'name' | 'projectId'>,
    message: string,
  ): Promise<void> {
    const target = {
      type: 'fleet' as const,
      id: fleet.id,
      name: fleet.name,
      projectId: fleet.projectId,
      fleetId: fleet.id,
    };
    return this.events.record(tx, { message, actorId: scope.caller.id, targets: [target] });
  }
}

async function refuseInUse(tx: ReadTx, fleet: FleetRecord): Promise<void> {
  const busy = await findInstances(tx, 'fleet_id = ? AND deleted = ? AND busy_blocks > 0', [fleet.id, false]);
  const runs = await tx.query<{ name: string }>(
    `SELECT CASE WHEN r.project_id = ? THEN r.name ELSE p.name || '/' || r.name END AS name FROM runs r JOIN projects p ON p.id = r.project_id
     WHERE r.fleet_id = ? AND r.status NOT IN ('terminated', 'failed', 'done')`,
    [fleet.projectId, fleet.id],
  );
  if (busy.length === 0 && runs.length === 0) return;
  const by = runs.length > 0 ? `runs ${runs.map((run) => run.name).join(', ')}` : 'running jobs';
  throw new ClientError(`Fleet ${fleet.name} is in use by ${by}. Stop them first`);
}
