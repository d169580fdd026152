import { Inject, Injectable } from '@nestjs/common';
import {
  buildJobSpecs,
  chooseRuntime,
  defaultRuntimePreference,
  type GpuGroupBy,
  groupFittingByGpu,
  type ImageDefaults,
  type Offer,
  planAction,
  planOffers,
  planWarnings,
  type RejectionSummary,
  replicaGroups,
  runtimeFactsOfJob,
  tabulateOffers,
  unlikeContainers,
  type VolumesByName,
  type Wire,
} from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import type { InstanceRecord } from '../instances/instance-record.js';
import { explainedOffer } from '../offers/explained-offer.js';
import { OffersService } from '../offers/offers.service.js';
import { Database } from '../persistence/database.js';
import { ServicePlaces } from '../gateways/service-places.js';
import { loadCapacity, type ProjectCapacity } from '../placement/project-capacity.js';
import { volumesFor } from '../volumes/volume-facts.js';
import { JobOffers, type PlanOptions } from './job-offers.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { redactJobSpec } from './redact.js';
import { RunReader } from './run-reader.js';
import { findRuns } from './run-record.js';

/** The contract's job plan, with what it leaves out: what the job runs in and why, why offers were rejected, which backends are missing. */
export type ExplainedJobPlan = Wire.JobPlan & {
  readonly runtime: 'container' | 'process' | null;
  readonly runtime_reason: string | null;
  readonly rejections: readonly RejectionSummary[];
  /** When the backends were asked for the prices. */
  readonly priced_at: string;
  /** Of backends that did not answer, cannot be used, or could not be checked: why. */
  readonly backend_warnings: readonly string[];
  /** What will go wrong with the job although it can be placed. */
  readonly warnings: readonly string[];
};

/** The contract's list of GPUs, with what it leaves out. */
export type ExplainedGpus = Wire.ListGpusResponse & Pick<ExplainedJobPlan, 'backend_warnings'>;

interface Scene {
  readonly now: number;
  readonly capacity: ProjectCapacity;
  readonly volumes: VolumesByName;
  readonly secrets: ReadonlySet<string>;
  readonly action: Wire.RunPlan['action'];
  readonly wireCurrent: Wire.Run | null;
}

/** What would happen if the spec were applied now. Nothing is stored. */
@Injectable()
export class RunPlanner {
  constructor(
    private readonly db: Database,
    @Inject(OffersService) private readonly offers: OffersService,
    @Inject(JobOffers) private readonly jobOffers: JobOffers,
    @Inject(RunReader) private readonly reader: RunReader,
    @Inject(ServicePlaces) private readonly places: Pick<ServicePlaces, 'choose'>,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'images'>,
  ) {}

  /** @throws when the service could not be served where it asks */
  async plan(
    scope: ProjectScope,
    given: Wire.RunSpec,
    effective: Wire.RunSpec,
    options: PlanOptions,
  ): Promise<Wire.RunPlan> {
    const scene = await this.look(scope, effective, options);
    const jobPlans = await this.jobPlans(scope, effective, scene, options);
    return {
      project_name: scope.projectName,
      user: scope.caller.name,
      run_spec: given,
      effective_run_spec: effective,
      job_plans: jobPlans,
      current_resource: scene.wireCurrent,
      action: scene.action,
    };
  }

  /** The GPUs in all offers of the first job. */
  async gpus(
    scope: ProjectScope,
    effective: Wire.RunSpec,
    groupBy: readonly GpuGroupBy[],
    options: PlanOptions,
  ): Promise<ExplainedGpus> {
    const scene = await this.look(scope, effective, options);
    const jobs = buildJobSpecs(effective, { replicaNum: 0, images: this.settings.images });
    const [job] = jobs;
    if (job === undefined) return { gpus: [], backend_warnings: [] };
    const { pool, created, warnings } = await this.jobOffers.find({
      projectId: scope.projectId,
      effective,
      job,
      unlikeNodes: unlikeContainers(jobs),
      capacity: scene.capacity,
      volumes: scene.volumes,
      options,
    });
    const table = tabulateOffers(pool);
    const gpus = groupFittingByGpu([{ table, rows: Uint32Array.from(pool.keys()) }, ...created], groupBy);
    return { gpus, backend_warnings: warnings };
  }

  private look(scope: ProjectScope, effective: Wire.RunSpec, { forOffersOnly }: PlanOptions): Promise<Scene> {
    return this.db.read(async (tx) => {
      const now = await tx.now();
      const capacity = await loadCapacity(tx, scope.projectId, 'all');
      const volumes = await volumesFor(tx, scope.projectId, [{ volumes: effective.configuration.volumes ?? [] }]);
      const secrets = await tx.query<{ name: string }>('SELECT name FROM secrets WHERE project_id = ?', [
        scope.projectId,
      ]);
      const name = effective.run_name ?? null;
      const [current] =
        name === null
          ? []
          : await findRuns(tx, 'project_id = ? AND name = ? AND deleted = ?', [scope.projectId, name, false]);
      const [wireCurrent] = current === undefined ? [] : await this.reader.wire(tx, [current], scope.caller);
      const stored = current === undefined ? null : { id: current.id, status: current.status, run_spec: current.spec };
      const { action } = planAction(stored, effective);
      // What is updated goes on with the gateway that it has.
      if (!forOffersOnly && action === 'create') await this.places.choose(tx, scope, effective, name ?? OF_ANY_NAME);
      return {
        now,
        capacity,
        volumes,
        secrets: new Set(secrets.map((secret) => secret.name)),
        action,
        wireCurrent: wireCurrent ?? null,
      };
    });
  }

  private async jobPlans(
    scope: ProjectScope,
    effective: Wire.RunSpec,
    scene: Scene,
    options: PlanOptions,
  ): Promise<ExplainedJobPlan[]> {
    const plans: ExplainedJobPlan[] = [];
    const groups = jobGroups(effective, this.settings.images);
    const unlikeNodes = effective.configuration.type === 'task' ? unlikeContainers(groups.flat()) : null;
    for (const jobs of groups) {
      const [first] = jobs;
      if (first === undefined) continue;
      const { pool, created, rejections, warnings } = await this.jobOffers.find({
        projectId: scope.projectId,
        effective,
        job: first,
        unlikeNodes,
        capacity: scene.capacity,
        volumes: scene.volumes,
        options,
      });
      const planned = planOffers(pool, created, options.maxOffers);
      const runtime = await this.runtimeOf(scope, effective, first, planned.offers[0], scene);
      const backend = planned.offers[0]?.backend ?? null;
      const problems = planWarnings({ job: first, runtime: runtime.runtime, backend, secrets: scene.secrets });
      for (const job of jobs) {
        plans.push({
          job_spec: redactJobSpec(job, true),
          offers: planned.offers.map(explainedOffer),
          total_offers: planned.totalOffers,
          max_price: planned.maxPrice,
          ...runtime,
          rejections,
          priced_at: new Date(scene.now).toISOString(),
          backend_warnings: warnings,
          warnings: problems,
        });
      }
    }
    return plans;
  }

  /** What the job would run in, as far as it is known before there is a host. */
  private async runtimeOf(
    scope: ProjectScope,
    effective: Wire.RunSpec,
    job: Wire.JobSpec,
    offer: Offer | undefined,
    scene: Scene,
  ): Promise<Pick<ExplainedJobPlan, 'runtime' | 'runtime_reason'>> {
    if (offer === undefined) return { runtime: null, runtime_reason: null };
    const stated = await this.offers.runtimes(scope.projectId, offer.backend);
    const isHost = (record: InstanceRecord): boolean =>
      offer.instance_id === undefined ? record.backendType === offer.backend : record.id === offer.instance_id;
    const known = scene.capacity.instanceRecords.find((record) => isHost(record) && record.agent.info !== null)?.agent
      .info;
    const hosts = stated?.available ?? {
      container: known?.runtimes.container.available ?? true,
      process: known?.runtimes.process.available ?? false,
    };
    const preference = stated?.preference ?? defaultRuntimePreference(offer.backend);
    const choice = chooseRuntime(runtimeFactsOfJob(effective.configuration, job), hosts, preference);
    if ('refused' in choice) return { runtime: null, runtime_reason: choice.refused };
    return { runtime: choice.runtime, runtime_reason: choice.because };
  }
}

/** Of a service that has no name yet. */
const OF_ANY_NAME = 'service';

/** Jobs that share their offers: the nodes of a task, or a replica group of a service. */
function jobGroups(spec: Wire.RunSpec, images: ImageDefaults): Wire.JobSpec[][] {
  if (spec.configuration.type !== 'service') {
    const jobs = buildJobSpecs(spec, { replicaNum: 0, images });
    return [...Map.groupBy(jobs, (job) => job.node_group_index ?? 0).values()];
  }
  return replicaGroups(spec.configuration).map((group) =>
    buildJobSpecs(spec, { replicaNum: 0, images, replicaGroup: group.name }),
  );
}
