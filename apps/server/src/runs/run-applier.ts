import { Inject, Injectable } from '@nestjs/common';
import {
  type ApplyDecision,
  decideApply,
  effectiveProfile,
  generatedRunName,
  isFinishedRun,
  LIMITS,
  nextScheduledAt,
  type ReplicaToSubmit,
  replicaGroups,
  type Wire,
} from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import { inserter } from '../persistence/insert-rows.js';
import { merged } from '../persistence/merged.js';
import { type WriteTogether, writeTogether } from '../persistence/together.js';
import type { WriteTx } from '../persistence/transaction.js';
import { writeSealed } from '../reconcile/sealed-json.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { rowId } from '../world/row-id.js';
import { WORLD, type World } from '../world/world.js';
import { requireOwnArchives } from './own-archives.js';
import { findNamedRun, type RunRecord } from './run-record.js';
import { ServicePlaces } from '../gateways/service-places.js';
import { ReplicaSubmitter } from './submit-replicas.js';

export interface ApplyInput {
  readonly spec: Wire.RunSpec;
  readonly seen: { readonly id: string; readonly run_spec: Wire.RunSpec } | null;
  readonly force: boolean;
  readonly idempotencyKey: string | null;
}

const insertRun = inserter('runs', [
  'id', 'project_id', 'user_id', 'repo_id', 'name', 'submitted_at', 'status', 'status_changed_at', 'run_spec', 'priority',
  'desired_replica_count', 'next_triggered_at', 'idempotency_key', 'next_due_at', 'service_spec',
  'gateway_id',
]); // prettier-ignore

/** Writes the intent of an apply: a new run, or a new specification of one that goes on. */
@Injectable()
export class RunApplier {
  private readonly applying: WriteTogether;

  constructor(
    private readonly db: Database,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(ReplicaSubmitter) private readonly submitter: ReplicaSubmitter,
    @Inject(ServicePlaces) private readonly places: ServicePlaces,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.applying = writeTogether(db);
  }

  /** Returns the run's id. A repeat with the same key is the same apply. */
  async apply(scope: ProjectScope, input: ApplyInput): Promise<string> {
    try {
      // Two of one name decide one after the other.
      const name = input.spec.run_name ?? null;
      const apart = name === null ? [] : [`${scope.projectId}/${name}`];
      return await this.applying.run((tx) => this.applyIn(tx, scope, input), apart);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      // Two applies at once: the other one has won, and may even have been the same request.
      const repeated = await this.db.read((tx) => findByKey(tx, scope.projectId, input.idempotencyKey));
      if (repeated !== null) return repeated;
      throw new ResourceExistsError(
        `Another run ${input.spec.run_name ?? ''} was submitted at the same time. Apply again`,
      );
    }
  }

  private async applyIn(tx: WriteTx, scope: ProjectScope, input: ApplyInput): Promise<string> {
    const repeated = await findByKey(tx, scope.projectId, input.idempotencyKey);
    if (repeated !== null) return repeated;
    const name = input.spec.run_name ?? null;
    const current = name === null ? null : await findNamedRun(tx, scope.projectId, name);
    const stored = current === null ? null : { id: current.id, status: current.status, run_spec: current.spec };
    const next = keepKey(input.spec, current);
    const decision = decideApply({ next, current: stored, seen: input.seen, force: input.force });
    switch (decision.do) {
      case 'reject':
        throw new ClientError(decision.message);
      case 'update':
        await requireOwnArchives(tx, scope.caller.id, next, current?.spec ?? null);
        return this.update(tx, scope, decision, next);
      case 'create':
        await requireOwnArchives(tx, scope.caller.id, input.spec, null);
        if (decision.replaces !== null)
          await tx.execute('UPDATE runs SET deleted = ? WHERE id = ?', [true, decision.replaces]);
        return this.create(tx, scope, input);
    }
  }

  private async update(
    tx: WriteTx,
    scope: ProjectScope,
    { runId, effect, changes }: Extract<ApplyDecision, { do: 'update' }>,
    spec: Wire.RunSpec,
  ): Promise<string> {
    // What served before an update that is still under way is what its failure brings back.
    const former = effect === 'rolling' ? 'COALESCE(former_run_spec, run_spec)' : 'former_run_spec';
    await tx.execute(
      `UPDATE runs SET former_run_spec = ${former}, run_spec = ?, priority = ?, deployment_num = deployment_num + 1,
         deployment_note = NULL, rev = rev + 1 WHERE id = ?`,
      [writeSealed(tx, spec), spec.configuration.priority ?? 0, runId],
    );
    await this.wake.rows(tx, 'runs', [runId]);
    await this.record(tx, scope, runId, spec.run_name ?? '', `Run updated. Changed fields: ${fieldNames(changes)}`);
    return runId;
  }

  private async create(tx: WriteTx, scope: ProjectScope, { spec, idempotencyKey }: ApplyInput): Promise<string> {
    const now = await tx.now();
    const id = rowId(this.world);
    const name = spec.run_name ?? (await this.freeName(tx, scope.projectId));
    const named: Wire.RunSpec = { ...spec, run_name: name, configuration: { ...spec.configuration, name } };
    const repoId = await this.repoOf(tx, scope.projectId, named);
    const cron = effectiveProfile(named).schedule?.cron ?? null;
    const nextFire = cron === null ? null : nextScheduledAt(cron, now);
    const replicas = firstReplicas(named);
    const place = await this.places.choose(tx, scope, named, name);
    await insertRun(tx, {
      id,
      project_id: scope.projectId,
      user_id: scope.caller.id,
      repo_id: repoId,
      name,
      submitted_at: now,
      status: nextFire === null ? 'submitted' : 'pending',
      status_changed_at: now,
      run_spec: writeSealed(tx, named),
      priority: named.configuration.priority ?? 0,
      desired_replica_count: replicas.length,
      next_triggered_at: nextFire,
      idempotency_key: idempotencyKey,
      next_due_at: nextFire ?? firstLook(replicas, now),
      service_spec: place === null ? null : writeJson(place.serviceSpec),
      gateway_id: place?.gatewayId ?? null,
    });
    await this.record(tx, scope, id, name, `Run submitted. Status: ${nextFire === null ? 'SUBMITTED' : 'PENDING'}`);
    if (nextFire === null) {
      const run = { id, projectId: scope.projectId, name, deploymentNum: 0 };
      for (const { num, group } of replicas) {
        await this.submitter.submit(tx, { run, spec: named, replicaNum: num, replicaGroup: group, isNewRun: true });
      }
    }
    this.wake.topic(tx, 'runs');
    // Its gateway gets ready for it meanwhile.
    if (typeof place?.gatewayId === 'string') this.wake.gateways(tx);
    return id;
  }

  private async freeName(tx: WriteTx, projectId: string): Promise<string> {
    const rows = await tx.query<{ name: string }>('SELECT name FROM runs WHERE project_id = ? AND deleted = ?', [
      projectId,
      false,
    ]);
    const taken = new Set(rows.map((row) => row.name));
    return generatedRunName(
      () => this.world.random.next(),
      (name) => taken.has(name),
    );
  }

  /** The virtual repo exists as soon as somebody names it; any other one has to be initialised before. */
  private async repoOf(tx: WriteTx, projectId: string, spec: Wire.RunSpec): Promise<string> {
    const name = spec.repo_id ?? 'none';
    const known = await findRepo(tx, { projectId, name });
    if (known !== null) return known;
    if (spec.repo_data?.repo_type !== 'virtual') {
      throw new ClientError(
        `Repo ${name} does not exist in this project. Run \`dstack init\` in the repo first`,
        'repo_does_not_exist',
      );
    }
    const id = rowId(this.world);
    await tx.execute('INSERT INTO repos (id, project_id, name, type, info, created_at) VALUES (?, ?, ?, ?, ?, ?)', [
      id,
      projectId,
      name,
      'virtual',
      writeJson({ repo_type: 'virtual' }),
      await tx.now(),
    ]);
    return id;
  }

  private record(tx: WriteTx, scope: ProjectScope, runId: string, name: string, message: string): Promise<void> {
    return this.events.record(tx, {
      message,
      actorId: scope.caller.id,
      targets: [{ type: 'run', id: runId, name, projectId: scope.projectId, runId }],
    });
  }
}

/** Runs that are submitted at the same time mostly name the same one. */
const findRepo = merged<WriteTx, { readonly projectId: string; readonly name: string }, string | null>(
  async (tx, asked) => {
    const found = new Map<string, string | null>();
    for (const { projectId, name } of asked) {
      const key = `${projectId}/${name}`;
      if (found.has(key)) continue;
      const [row] = await tx.query<{ id: string }>('SELECT id FROM repos WHERE project_id = ? AND name = ?', [
        projectId,
        name,
      ]);
      found.set(key, row?.id ?? null);
    }
    return asked.map(({ projectId, name }) => found.get(`${projectId}/${name}`) ?? null);
  },
);

/** Replicas a run starts with: the minimum of each group of a service, one of everything else. */
function firstReplicas({ configuration }: Wire.RunSpec): ReplicaToSubmit[] {
  if (configuration.type !== 'service') return [{ num: 0, group: null }];
  const groups = replicaGroups(configuration).flatMap(({ name, min }) => Array.from({ length: min }, () => name));
  return groups.map((group, num) => ({ num, group }));
}

/** Jobs wake their run when something happens to them; where there are none it has to look for itself. */
function firstLook(replicas: readonly ReplicaToSubmit[], now: number): number {
  return replicas.length === 0 ? now : now + LIMITS.runCheckMs;
}

/** A client that reads the spec back may send the server's own default key again, or none: not a change. */
function keepKey(spec: Wire.RunSpec, current: RunRecord | null): Wire.RunSpec {
  if (current === null || isFinishedRun(current.status) || spec.ssh_key_pub) return spec;
  return { ...spec, ssh_key_pub: current.spec.ssh_key_pub ?? null };
}

function fieldNames(changes: readonly string[]): string {
  const names = changes.map((change) => change.split(':')[0] ?? '').filter((name) => name !== '');
  return names.length === 0 ? 'none' : names.join(', ');
}

async function findByKey(tx: Pick<WriteTx, 'query'>, projectId: string, key: string | null): Promise<string | null> {
  if (key === null) return null;
  const [row] = await tx.query<{ id: string }>('SELECT id FROM runs WHERE project_id = ? AND idempotency_key = ?', [
    projectId,
    key,
  ]);
  return row?.id ?? null;
}

function isUniqueViolation(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return /unique/i.test(text);
}
