import { toWireBackend, type InternalBackendType, type MetricsPoint, type Wire } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { findInstances, type InstanceRecord } from '../../instances/instance-record.js';
import { findJobs, type JobRecord } from '../../jobs/job-record.js';
import { Database } from '../../persistence/database.js';
import type { ReadTx } from '../../persistence/transaction.js';
import { readJson } from '../../reconcile/stored-json.js';
import { WORLD, type World } from '../../world/world.js';
import { packageVersion } from '../../bootstrap/package-version.js';
import { OPENED_LOGS, type OpenedLogs } from '../../logs/log-shipping.js';
import { TELEMETRY_COUNTS } from '../../telemetry/telemetry.js';
import type { TelemetryCounts } from '../../telemetry/telemetry-counts.js';
import { MetricsStore } from '../metrics-store.js';
import { exposition } from './exposition.js';
import {
  type InstanceFacts,
  instanceFamilies,
  type JobFacts,
  jobFamilies,
  type RunCounts,
  runFamilies,
} from './families.js';
import { type ServerFacts, serverFamilies } from './server-families.js';

const LIVE_INSTANCE = `('provisioning', 'idle', 'busy', 'terminating')`;
const MIB = 1024 ** 2;

interface RunRow {
  readonly id: string;
  readonly name: string;
  readonly run_spec: string;
  readonly user_name: string;
}

/** Everything of all projects that is there now, for one scrape. */
@Injectable()
export class PrometheusService {
  private readonly startedAt: number;

  constructor(
    private readonly db: Database,
    @Inject(MetricsStore) private readonly store: Pick<MetricsStore, 'newestOfRunning'>,
    @Inject(WORLD) private readonly world: Pick<World, 'clock'>,
    @Inject(TELEMETRY_COUNTS) private readonly counts: Pick<TelemetryCounts, 'all'>,
    @Inject(OPENED_LOGS) private readonly logs: Pick<OpenedLogs, 'state'>,
  ) {
    this.startedAt = world.clock.now();
  }

  async text(): Promise<string> {
    const [points, server] = [await this.store.newestOfRunning(), await this.server()];
    const now = this.world.clock.now();
    return this.db.read(async (tx) => {
      const projects = await names(tx, 'projects');
      return exposition([
        ...instanceFamilies(await readInstances(tx, projects), now),
        ...runFamilies(await countRuns(tx)),
        ...jobFamilies(await readJobs(tx, projects, points), now),
        ...serverFamilies(server),
      ]);
    });
  }

  private async server(): Promise<ServerFacts> {
    return {
      version: await packageVersion(),
      startedAt: this.startedAt,
      memoryBytes: process.memoryUsage.rss(),
      counts: this.counts.all(),
      shipping: await this.logs.state(),
    };
  }
}

type Names = ReadonlyMap<string, string>;

async function names(tx: ReadTx, table: 'projects' | 'fleets'): Promise<Names> {
  const rows = await tx.query<{ id: string; name: string }>(`SELECT id, name FROM ${table}`);
  return new Map(rows.map(({ id, name }) => [id, name]));
}

async function readInstances(tx: ReadTx, projects: Names): Promise<InstanceFacts[]> {
  const fleets = await names(tx, 'fleets');
  const instances = await findInstances(tx, `deleted = ? AND status IN ${LIVE_INSTANCE} ORDER BY created_at, id`, [
    false,
  ]);
  return instances.map((instance) => instanceFacts(instance, projects, fleets));
}

function instanceFacts(instance: InstanceRecord, projects: Names, fleets: Names): InstanceFacts {
  const type = instance.offer?.instance;
  const gpus = type?.resources.gpus ?? [];
  return {
    labels: {
      dstack_project_name: projects.get(instance.projectId) ?? '',
      dstack_fleet_name: fleets.get(instance.fleetId ?? '') ?? '',
      dstack_fleet_id: instance.fleetId ?? '',
      dstack_instance_name: instance.name,
      dstack_instance_id: instance.id,
      dstack_instance_type: type?.name ?? '',
      dstack_backend: backendName(instance.backendType),
      dstack_gpu: gpus[0]?.name ?? '',
    },
    since: instance.createdAt,
    price: instance.price ?? 0,
    gpuCount: gpus.length,
  };
}

async function countRuns(tx: ReadTx): Promise<RunCounts[]> {
  const rows = await tx.query<{ project_name: string; user_name: string; status: string; count: number }>(
    `SELECT p.name AS project_name, u.name AS user_name, r.status, COUNT(*) AS count
       FROM runs r JOIN projects p ON p.id = r.project_id JOIN users u ON u.id = r.user_id
      GROUP BY p.name, u.name, r.status ORDER BY p.name, u.name`,
  );
  const groups = Map.groupBy(rows, (row) => `${row.project_name}\n${row.user_name}`);
  return [...groups.values()].map((group) => {
    const of = (status: string): number => Number(group.find((row) => row.status === status)?.count ?? 0);
    const [first] = group;
    return {
      labels: { dstack_project_name: first?.project_name ?? '', dstack_user_name: first?.user_name ?? '' },
      total: group.reduce((sum, { count }) => sum + Number(count), 0),
      terminated: of('terminated'),
      failed: of('failed'),
      done: of('done'),
    };
  });
}

async function readJobs(tx: ReadTx, projects: Names, points: ReadonlyMap<string, MetricsPoint>): Promise<JobFacts[]> {
  const jobs = await findJobs(tx, `status = 'running' ORDER BY submitted_at, id`, []);
  const rows = await tx.query<RunRow>(
    `SELECT r.id, r.name, r.run_spec, u.name AS user_name FROM runs r JOIN users u ON u.id = r.user_id
      WHERE r.id IN (SELECT run_id FROM jobs WHERE status = 'running')`,
  );
  const runs = new Map(rows.map((row) => [row.id, row]));
  return jobs.flatMap((job) => {
    const run = runs.get(job.runId);
    return run === undefined ? [] : [jobFacts(job, run, projects, points.get(job.id))];
  });
}

function jobFacts(job: JobRecord, run: RunRow, projects: Names, point: MetricsPoint | undefined): JobFacts {
  const { offer } = job.runtimeRecord;
  const resources = offer?.instance.resources;
  const gpus = resources?.gpus ?? [];
  return {
    labels: {
      dstack_project_name: projects.get(job.projectId) ?? '',
      dstack_user_name: run.user_name,
      dstack_run_name: run.name,
      dstack_run_id: run.id,
      dstack_job_name: job.spec.job_name,
      dstack_job_id: job.id,
      dstack_job_num: String(job.jobNum),
      dstack_replica_num: String(job.replicaNum),
      dstack_run_type: readJson<Wire.RunSpec>(run.run_spec).configuration.type ?? '',
      dstack_backend: backendName(offer?.backend ?? null),
      dstack_gpu: gpus[0]?.name ?? '',
    },
    since: job.runningAt ?? job.submittedAt,
    price: offer?.price ?? 0,
    cpus: resources?.cpus ?? 0,
    memoryBytes: (resources?.memory_mib ?? 0) * MIB,
    gpuMemoryBytes: gpus.map(({ memory_mib }) => memory_mib * MIB),
    point,
  };
}

function backendName(backend: InternalBackendType | null): string {
  return backend === null ? '' : toWireBackend(backend);
}
