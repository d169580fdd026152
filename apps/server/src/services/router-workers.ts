import { routerGroup, workerChanges, workersOf } from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import { findJobs, type JobRecord } from '../jobs/job-record.js';
import { Database } from '../persistence/database.js';
import { inList } from '../persistence/in-list.js';
import { Notices } from '../reconcile/notices.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import { findRuns, type RunRecord } from '../runs/run-record.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import type { ProbeTarget } from './probe-asker.js';
import { ReplicaHttp } from './replica-http.js';
import { servicePortOf } from './service-port.js';
import { SglangRouter } from './sglang-router.js';

const SWEEP_MS = 5_000;
/** A worker that a router was told of is not told again for so long: the router reaches for it by itself. */
const TOLD_MS = 30_000;

interface RoutedRun extends Pick<RunRecord, 'id' | 'name' | 'projectId'> {
  /** The group that is its router. */
  readonly router: string;
}

/** Tells the SGLang routers on the hosts that this server is connected to which workers there are. */
@Injectable()
export class RouterWorkers {
  private readonly log = new Logger('Routers');
  /** By run; null: it has no router, which does not change while it runs. */
  private known = new Map<string, RoutedRun | null>();
  private readonly told = new Map<string, number>();
  /** By router: what keeps it from knowing its workers. */
  private readonly problems = new Map<string, string>();
  private readonly stopping = new AbortController();
  private readonly api: SglangRouter;
  private timer: Timer | null = null;
  private sweeping: Promise<void> | null = null;
  private isDue = false;
  private stopListening: () => void = () => undefined;

  constructor(
    private readonly db: Database,
    @Inject(ReplicaHttp) http: ReplicaHttp,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(Notices) private readonly notices: Notices,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.api = new SglangRouter(http, this.stopping.signal);
  }

  start(): void {
    this.stopListening = this.notices.listenToReplicas((runId) => {
      // Of others there is nothing to tell anybody.
      if (this.known.get(runId) !== null) this.poke();
    });
    this.poke();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the server stops'));
    this.stopListening();
    this.timer?.cancel();
    await this.sweeping;
  }

  private poke(): void {
    this.isDue = true;
    if (this.sweeping !== null || this.stopping.signal.aborted) return;
    this.timer?.cancel();
    this.sweeping = this.sweep().finally(() => {
      this.sweeping = null;
      if (this.stopping.signal.aborted) return;
      if (this.isDue) this.poke();
      else this.timer = this.world.scheduler.after(SWEEP_MS, () => this.poke());
    });
  }

  private async sweep(): Promise<void> {
    this.isDue = false;
    try {
      const runs = await this.routedRuns();
      await Promise.all(runs.map((run) => this.bring(run)));
    } catch (error) {
      this.log.error('Routers could not be listed; the next sweep tries again', String(error));
    }
  }

  private async routedRuns(): Promise<RoutedRun[]> {
    return this.db.read(async (tx) => {
      const rows = await tx.query<{ run_id: string }>(
        `SELECT DISTINCT run_id FROM jobs WHERE status = 'running' AND probes IS NOT NULL
           AND instance_id IN (SELECT id FROM instances WHERE connection_holder = ?)`,
        [this.me.holder],
      );
      const ids = rows.map((row) => row.run_id);
      this.known = new Map([...this.known].filter(([id]) => ids.includes(id)));
      const strange = ids.filter((id) => !this.known.has(id));
      if (strange.length > 0) {
        const these = inList('id', strange);
        for (const run of await findRuns(tx, these.sql, these.params)) this.known.set(run.id, routed(run));
      }
      return [...this.known.values()].filter((run) => run !== null);
    });
  }

  private async bring(run: RoutedRun): Promise<void> {
    const jobs = await this.db.read((tx) => findJobs(tx, "run_id = ? AND status = 'running'", [run.id]));
    const mine = new Set(await this.held(jobs));
    const routers = jobs.filter((job) => job.replicaGroup === run.router && mine.has(job.instanceId ?? ''));
    const workers = workersOf(run.router, jobs);
    for (const router of routers) {
      const problem = await this.tell(router, workers).catch((error: unknown) =>
        error instanceof Error ? error.message : String(error),
      );
      if (!this.stopping.signal.aborted) await this.remember(run, router, problem);
    }
  }

  private async held(jobs: readonly JobRecord[]): Promise<string[]> {
    const ids = [...new Set(jobs.flatMap(({ instanceId }) => instanceId ?? []))];
    if (ids.length === 0) return [];
    const these = inList('id', ids);
    const rows = await this.db.read((tx) =>
      tx.query<{ id: string }>(`SELECT id FROM instances WHERE ${these.sql} AND connection_holder = ?`, [
        ...these.params,
        this.me.holder,
      ]),
    );
    return rows.map(({ id }) => id);
  }

  /** Gives what some of the workers lack; null: nothing. */
  private async tell(job: JobRecord, workers: readonly JobRecord[]): Promise<string | null> {
    const router = targetOf(job);
    // It is asked once it listens.
    if (router === null || !job.registered) return this.problems.get(job.id) ?? null;
    const byAddress = new Map(
      workers.flatMap((worker) => placeOf(worker) ?? []).map(({ address, target }) => [address, target]),
    );
    const { missing, stale } = workerChanges(await this.api.list(router), [...byAddress.keys()]);
    for (const worker of stale) await this.api.remove(router, worker);
    const now = this.world.clock.now();
    for (const [key, at] of this.told) if (at < now - TOLD_MS) this.told.delete(key);
    let problem: string | null = null;
    for (const address of missing) {
      const key = `${job.id} ${address}`;
      const worker = byAddress.get(address);
      if (worker === undefined || this.told.has(key)) continue;
      try {
        const info = await this.api.info(worker);
        if (info === null) continue;
        await this.api.add(router, address, info);
        this.told.set(key, now);
      } catch (error) {
        problem = `worker ${address}: ${error instanceof Error ? error.message : String(error)}`;
      }
    }
    return problem;
  }

  private async remember(run: RoutedRun, { id }: JobRecord, problem: string | null): Promise<void> {
    const before = this.problems.get(id) ?? null;
    if (problem === null) this.problems.delete(id);
    else this.problems.set(id, problem);
    if (problem === null || problem === before) return;
    await this.db.write((tx) =>
      this.events.record(tx, {
        message: `The router of the service does not have all of its workers: ${problem}`,
        actorId: null,
        targets: [{ type: 'run', id: run.id, name: run.name, projectId: run.projectId, runId: run.id }],
      }),
    );
  }
}

function routed({ id, name, projectId, spec }: RunRecord): RoutedRun | null {
  const { configuration } = spec;
  const router = configuration.type === 'service' ? routerGroup(configuration) : null;
  if (router?.router?.type !== 'sglang') return null;
  return { id, name, projectId, router: router.name ?? '' }; // stored with a name, as all groups are
}

function targetOf(job: JobRecord): ProbeTarget | null {
  const port = servicePortOf(job);
  return job.instanceId === null || port === null ? null : { jobId: job.id, instanceId: job.instanceId, port };
}

/** Where its router reaches a worker: both are on one network. */
function placeOf(job: JobRecord): { readonly address: string; readonly target: ProbeTarget } | null {
  const target = targetOf(job);
  const host = job.provisioningData?.internal_ip ?? job.provisioningData?.hostname ?? null;
  if (target === null || host === null) return null;
  return { address: `${host.includes(':') ? `[${host}]` : host}:${target.port}`, target };
}
