import { Inject, Injectable } from '@nestjs/common';
import { Connections } from './agents/connections.js';
import { FleetReconciler } from './fleets/fleet.reconciler.js';
import { ensureLocalFleet } from './fleets/local-fleet.js';
import { InstanceLimits } from './instances/instance-limits.js';
import { InstanceReconciler } from './instances/instance.reconciler.js';
import { JobEffects } from './jobs/job-effects.js';
import { JobReconciler } from './jobs/job.reconciler.js';
import { MetricsRetention } from './metrics/metrics-retention.js';
import { Database } from './persistence/database.js';
import { PlacementLoop } from './placement/placement-loop.js';
import { ProjectHooks } from './projects/project-hooks.js';
import { ReconcileEngine } from './reconcile/reconcile-engine.js';

import { RunReconciler } from './runs/run.reconciler.js';
import { SETTINGS, type ServerSettings } from './settings/settings.js';
import { WORLD, type World } from './world/world.js';

/** Starts and stops everything that works without being asked. */
@Injectable()
export class Workload {
  constructor(
    private readonly db: Database,
    @Inject(ReconcileEngine) private readonly engine: ReconcileEngine,
    @Inject(PlacementLoop) private readonly placement: PlacementLoop,
    @Inject(Connections) private readonly connections: Connections,
    @Inject(RunReconciler) private readonly runs: RunReconciler,
    @Inject(JobReconciler) private readonly jobs: JobReconciler,
    @Inject(InstanceReconciler) private readonly instances: InstanceReconciler,
    @Inject(FleetReconciler) private readonly fleets: FleetReconciler,
    @Inject(InstanceLimits) private readonly limits: InstanceLimits,
    @Inject(JobEffects) private readonly jobEffects: JobEffects,
    @Inject(MetricsRetention) private readonly metrics: MetricsRetention,
    @Inject(ProjectHooks) projects: ProjectHooks,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
  ) {
    projects.onCreated((tx, project) => ensureLocalFleet(tx, this.world, project.id));
  }

  async start(): Promise<void> {
    this.limits.maxOffersTried = this.settings.maxOffersTried;
    this.limits.unreachableJobMs = this.settings.unreachableJobSeconds * 1000;
    const quota = this.settings.logQuotaBytesPerJobHour;
    this.jobEffects.logQuotaBytesPerHour = quota > 0 ? quota : null;
    await this.db.write(async (tx) => {
      const projects = await tx.query<{ id: string }>('SELECT id FROM projects WHERE deleted = ?', [false]);
      for (const { id } of projects) await ensureLocalFleet(tx, this.world, id);
    });
    const reconcilers = [this.runs, this.jobs, this.instances, this.fleets];
    // Each reconciler is closed over its own types; the engine only passes them back to it.
    await this.engine.start(reconcilers);
    this.connections.start();
    this.placement.start();
    this.metrics.start();
  }

  async stop(): Promise<void> {
    this.metrics.stop();
    await this.placement.stop();
    await this.engine.stop();
    await this.connections.stop();
  }
}
