import { Inject, Injectable } from '@nestjs/common';
import { Connections } from './agents/connections.js';
import { FleetReconciler } from './fleets/fleet.reconciler.js';
import { PlacementGroups } from './fleets/placement-groups.js';
import { GatewayLinks } from './gateways/gateway-links.js';
import { GatewayReconciler } from './gateways/gateway.reconciler.js';
import { GatewayReplicaReconciler } from './gateways/gateway-replica.reconciler.js';
import { InstanceLimits } from './instances/instance-limits.js';
import { InstanceReconciler } from './instances/instance.reconciler.js';
import { JobEffects } from './jobs/job-effects.js';
import { JobReconciler } from './jobs/job.reconciler.js';
import { OrphanCollector } from './instances/orphan-collector.js';
import { MetricsRetention } from './metrics/metrics-retention.js';
import { PlacementLoop } from './placement/placement-loop.js';
import { ReconcileEngine } from './reconcile/reconcile-engine.js';
import { RunReconciler } from './runs/run.reconciler.js';
import { VolumeReconciler } from './volumes/volume.reconciler.js';
import { Prober } from './services/prober.js';
import { RouterWorkers } from './services/router-workers.js';
import { SETTINGS, type ServerSettings } from './settings/settings.js';

/** Starts and stops everything that works without being asked. */
@Injectable()
export class Workload {
  constructor(
    @Inject(ReconcileEngine) private readonly engine: ReconcileEngine,
    @Inject(PlacementLoop) private readonly placement: PlacementLoop,
    @Inject(Connections) private readonly connections: Connections,
    @Inject(RunReconciler) private readonly runs: RunReconciler,
    @Inject(JobReconciler) private readonly jobs: JobReconciler,
    @Inject(InstanceReconciler) private readonly instances: InstanceReconciler,
    @Inject(FleetReconciler) private readonly fleets: FleetReconciler,
    @Inject(PlacementGroups) private readonly groups: PlacementGroups,
    @Inject(VolumeReconciler) private readonly volumes: VolumeReconciler,
    @Inject(GatewayReconciler) private readonly gateways: GatewayReconciler,
    @Inject(GatewayReplicaReconciler) private readonly gatewayReplicas: GatewayReplicaReconciler,
    @Inject(GatewayLinks) private readonly gatewayLinks: Pick<GatewayLinks, 'start' | 'stop'>,
    @Inject(InstanceLimits) private readonly limits: InstanceLimits,
    @Inject(JobEffects) private readonly jobEffects: JobEffects,
    @Inject(OrphanCollector) private readonly orphans: OrphanCollector,
    @Inject(MetricsRetention) private readonly metrics: MetricsRetention,
    @Inject(Prober) private readonly prober: Pick<Prober, 'start' | 'stop'>,
    @Inject(RouterWorkers) private readonly routers: Pick<RouterWorkers, 'start' | 'stop'>,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
  ) {}

  async start(): Promise<void> {
    this.limits.maxOffersTried = this.settings.maxOffersTried;
    this.limits.unreachableJobMs = this.settings.unreachableJobSeconds * 1000;
    const quota = this.settings.logQuotaBytesPerJobHour;
    this.jobEffects.logQuotaBytesPerHour = quota > 0 ? quota : null;
    const reconcilers = [
      this.runs,
      this.jobs,
      this.instances,
      this.fleets,
      this.volumes,
      this.gateways,
      this.gatewayReplicas,
    ];
    // Each reconciler is closed over its own types; the engine only passes them back to it.
    await this.engine.start(reconcilers);
    this.connections.start();
    this.placement.start();
    this.orphans.start();
    this.groups.start();
    this.metrics.start();
    this.prober.start();
    this.routers.start();
    this.gatewayLinks.start();
  }

  async stop(): Promise<void> {
    await this.gatewayLinks.stop();
    await this.routers.stop();
    await this.prober.stop();
    this.metrics.stop();
    await this.groups.stop();
    await this.orphans.stop();
    await this.placement.stop();
    await this.engine.stop();
    await this.connections.stop();
  }
}
