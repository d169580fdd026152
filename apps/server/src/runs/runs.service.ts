import { Inject, Injectable } from '@nestjs/common';
import {
  decideStop,
  effectiveProfile,
  foreignFleets,
  groupByProblem,
  isFinishedRun,
  normaliseRunSpec,
  runMounts,
  whyNotServed,
  type Wire,
} from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceNotExistsError } from '../http/api-errors.js';
import { JsonList } from '../http/json-list.js';
import { findImportedFleets } from '../fleets/imported-fleets.js';
import { Database } from '../persistence/database.js';
import { type ReadTogether, readTogether } from '../persistence/together.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { Policies } from '../policies/policies.js';
import { findUser } from '../users/find-user.js';
import { Wake } from '../reconcile/wake.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { explainRunSpecErrors, parseRunSpec, readSpec } from './parse-spec.js';
import { requireMounts } from './require-mounts.js';
import { RunApplier } from './run-applier.js';
import { type RunListScope, runListQuery } from './run-list-query.js';
import { RunPlanner } from './run-planner.js';
import { RunReader } from './run-reader.js';
import { findNamedRun, findRun, findRunHeads, type RunRecord } from './run-record.js';

const DEFAULT_MAX_OFFERS = 50;

@Injectable()
export class RunsService {
  private readonly reading: ReadTogether;

  constructor(
    private readonly db: Database,
    @Inject(RunReader) private readonly reader: RunReader,
    @Inject(RunPlanner) private readonly planner: RunPlanner,
    @Inject(RunApplier) private readonly applier: RunApplier,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'runLimits'>,
    @Inject(Policies) private readonly policies: Policies,
  ) {
    this.reading = readTogether(db);
  }

  /** `Wire.Run[]`. */
  list(caller: Caller, request: Wire.ListRunsRequest): Promise<JsonList> {
    return this.db.read(async (tx) => {
      const query = runListQuery(await listScope(tx, caller, request), request);
      const runs = query === null ? [] : await findRunHeads(tx, query.sql, query.params);
      const texts = await this.reader.texts(tx, runs, caller, {
        includeJobs: request.include_jobs ?? true,
        jobSubmissionsLimit: request.job_submissions_limit ?? null,
      });
      return new JsonList(texts);
    });
  }

  get(scope: ProjectScope, request: Wire.GetRunRequest): Promise<Wire.Run> {
    return this.reading.run(async (tx) => {
      const run = await findOne(tx, scope, request);
      return this.one(tx, run, scope.caller);
    });
  }

  async plan(scope: ProjectScope, request: Wire.GetRunPlanRequest): Promise<Wire.RunPlan> {
    const given = parseRunSpec(request.run_spec, ['run_spec']);
    const forOffersOnly = request.for_offers_only ?? false;
    const effective = await this.effective(scope, given, forOffersOnly);
    if (!forOffersOnly) refuseUnserved(effective);
    return this.planner.plan(scope, given, effective, {
      maxOffers: request.max_offers ?? DEFAULT_MAX_OFFERS,
      fullOffers: request.full_offers ?? false,
      unallocated: request.unallocated_resources ?? false,
      forOffersOnly,
    });
  }

  async listGpus(scope: ProjectScope, request: Wire.ListGpusRequest): Promise<Wire.ListGpusResponse> {
    const groupBy = request.group_by ?? [];
    const problem = groupByProblem(groupBy);
    if (problem !== null) throw new ClientError(problem);
    const effective = await this.effective(scope, parseRunSpec(request.run_spec, ['run_spec']), true);
    return this.planner.gpus(scope, effective, groupBy, {
      maxOffers: Number.MAX_SAFE_INTEGER,
      fullOffers: request.full_offers ?? false,
      unallocated: request.unallocated_resources ?? false,
      forOffersOnly: true,
    });
  }

  async apply(
    scope: ProjectScope,
    request: Wire.ApplyRunPlanRequest,
    idempotencyKey: string | null,
  ): Promise<Wire.Run> {
    const { plan, force } = request;
    const spec = await this.effective(scope, parseRunSpec(plan.run_spec, ['plan', 'run_spec']), false);
    refuseUnserved(spec);
    const seen = plan.current_resource ?? null;
    const id = await this.applier.apply(scope, {
      spec,
      force,
      idempotencyKey,
      seen: seen === null ? null : { id: seen.id, run_spec: readSpec(seen.run_spec) },
    });
    return this.get(scope, { id });
  }

  /** Both stop and abort may be asked for again; abort after stop takes the grace period away. */
  async stop(scope: ProjectScope, { runs_names: names, abort }: Wire.StopRunsRequest): Promise<void> {
    await this.db.write(async (tx) => {
      const runs = await findNamed(tx, scope, names);
      for (const run of runs) await this.stopOne(tx, scope, run, abort);
    });
  }

  async delete(scope: ProjectScope, { runs_names: names }: Wire.DeleteRunsRequest): Promise<void> {
    await this.db.write(async (tx) => {
      const runs = await findNamed(tx, scope, names);
      const active = runs.filter((run) => !isFinishedRun(run.status)).map((run) => run.name);
      if (active.length > 0) throw new ClientError(`Cannot delete active runs: ${active.join(', ')}. Stop them first`);
      for (const run of runs) {
        await tx.execute('UPDATE runs SET deleted = ?, rev = rev + 1 WHERE id = ?', [true, run.id]);
        await this.record(tx, scope, run, 'Run deleted');
      }
    });
  }

  private async stopOne(tx: WriteTx, scope: ProjectScope, run: RunRecord, abort: boolean): Promise<void> {
    const isScheduled = (effectiveProfile(run.spec).schedule ?? null) !== null;
    const reason = decideStop({ ...run, isScheduled }, abort);
    if (reason === null) return;
    await tx.execute(
      `UPDATE runs SET status = 'terminating', termination_reason = ?, rev = rev + 1,
         status_changed_at = CASE WHEN status = 'terminating' THEN status_changed_at ELSE CAST(? AS bigint) END WHERE id = ?`,
      [reason, await tx.now(), run.id],
    );
    await this.wake.rows(tx, 'runs', [run.id]);
    const text = `Run status changed ${run.status.toUpperCase()} -> TERMINATING. Reason: ${reason.toUpperCase()}`;
    await this.record(tx, scope, run, text);
  }

  private record(tx: WriteTx, scope: ProjectScope, run: RunRecord, message: string): Promise<void> {
    return this.events.record(tx, {
      message,
      actorId: scope.caller.id,
      targets: [{ type: 'run', id: run.id, name: run.name, projectId: run.projectId, runId: run.id }],
    });
  }

  private async effective(scope: ProjectScope, given: Wire.RunSpec, forOffersOnly: boolean): Promise<Wire.RunSpec> {
    const spec = await this.policies.apply('run', scope, given, (changed) => parseRunSpec(changed, []));
    const user = await this.reading.run((tx) => findUser(tx, scope.caller.id));
    const effective = explainRunSpecErrors(() =>
      normaliseRunSpec(spec, {
        userSshPublicKey: user?.ssh_public_key ?? null,
        forOffersOnly,
        limits: this.settings.runLimits,
      }),
    );
    const foreign = foreignFleets(effectiveProfile(effective), scope.projectName);
    if (foreign.length > 0) await this.db.read((tx) => requireShared(tx, scope, foreign));
    if (!forOffersOnly && runMounts(effective.configuration).length > 0)
      await this.db.read((tx) => requireMounts(tx, scope.projectId, effective));
    return effective;
  }

  private async one(tx: ReadTx, run: RunRecord, caller: Caller): Promise<Wire.Run> {
    const [wire] = await this.reader.wire(tx, [run], caller);
    if (wire === undefined) throw new ResourceNotExistsError();
    return wire;
  }
}

function refuseUnserved(spec: Wire.RunSpec): void {
  const obstacle = whyNotServed(spec);
  if (obstacle !== null) throw new ClientError(obstacle);
}

async function findOne(
  tx: ReadTx,
  scope: ProjectScope,
  { run_name: name, id }: Wire.GetRunRequest,
): Promise<RunRecord> {
  const run = id ? await findRun(tx, id) : await findNamedRun(tx, scope.projectId, name ?? '');
  if (run?.projectId !== scope.projectId) throw new ResourceNotExistsError(`Run ${name ?? id ?? ''} not found`);
  return run;
}

/** What is not shared with the project is answered as what is not there. */
async function requireShared(
  tx: ReadTx,
  scope: ProjectScope,
  fleets: readonly { project: string; name: string }[],
): Promise<void> {
  const shared = await findImportedFleets(tx, scope.projectId);
  for (const { project, name } of fleets) {
    if (shared.some((fleet) => fleet.projectName === project && fleet.name === name)) continue;
    throw new ClientError(
      `Fleet ${project}/${name} is not shared with project ${scope.projectName}. See what is: dstack import list`,
    );
  }
}

async function findNamed(tx: WriteTx, scope: ProjectScope, names: readonly string[]): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  for (const name of new Set(names)) runs.push(await findOne(tx, scope, { run_name: name }));
  return runs;
}

/** A project or a user that is not there, or not the caller's to see, has no runs. */
async function listScope(tx: ReadTx, caller: Caller, request: Wire.ListRunsRequest): Promise<RunListScope> {
  const conditions = ['p.deleted = false'];
  const params: string[] = [];
  if (request.project_name) {
    conditions.push('p.name = ?');
    params.push(request.project_name);
  }
  if (caller.globalRole !== 'admin') {
    conditions.push('p.id IN (SELECT project_id FROM members WHERE user_id = ?)');
    params.push(caller.id);
  }
  const projects =
    params.length === 0
      ? null
      : await tx.query<{ id: string }>(`SELECT p.id FROM projects p WHERE ${conditions.join(' AND ')}`, params);
  const projectIds = projects?.map(({ id }) => id) ?? null;
  if (!request.username) return { projectIds, userId: null };
  const [user] = await tx.query<{ id: string }>('SELECT id FROM users WHERE name = ?', [request.username]);
  return user === undefined ? { projectIds: [], userId: null } : { projectIds, userId: user.id };
}
