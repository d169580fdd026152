import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AgentConnector, SocketAgentConnector } from './agents/agent-connector.js';
import { AgentRegistry } from './agents/agent-registry.js';
import { Connections } from './agents/connections.js';
import { JobPorts } from './agents/job-ports.js';
import { JobStates } from './agents/job-states.js';
import { ListeningApi, OwnApi } from './agents/own-api.js';
import { BackendAccounts } from './backends/backend-accounts.js';
import { CatalogRefresher } from './catalogs/catalog-refresher.js';
import { CatalogsController } from './catalogs/catalogs.controller.js';
import { PriceListLoader } from './catalogs/price-list-loader.js';
import { AgentArchives, DownloadableAgents } from './containers/agent-archives.js';
import { CostsController } from './costs/costs.controller.js';
import { CostsService } from './costs/costs.service.js';
import { ContainerStarts } from './containers/container-starts.js';
import { DefaultFleetMaker } from './fleets/default-fleet.js';
import { FleetReconciler } from './fleets/fleet.reconciler.js';
import { FleetsController } from './fleets/fleets.controller.js';
import { PlacementGroups } from './fleets/placement-groups.js';
import { SshFleetHosts } from './fleets/ssh-fleet-hosts.js';
import { FleetsService } from './fleets/fleets.service.js';
import { DesiredStates } from './gateways/desired-state.js';
import { GatewayBalancers } from './gateways/gateway-balancers.js';
import { GatewayBundles } from './gateways/gateway-bundles.js';
import { GatewayCertificates } from './gateways/gateway-certificates.js';
import { GatewayConnector } from './gateways/gateway-connector.js';
import { GatewayDialer } from './gateways/gateway-dialer.js';
import { GatewayHosts } from './gateways/gateway-hosts.js';
import { GatewayLinks } from './gateways/gateway-links.js';
import { GatewayReader } from './gateways/gateway-reader.js';
import { GatewayReconciler } from './gateways/gateway.reconciler.js';
import { GatewayRegistrations } from './gateways/gateway-registrations.js';
import { GatewayReplicaCommit } from './gateways/gateway-replica-commit.js';
import { GatewayReplicaEffects } from './gateways/gateway-replica-effects.js';
import { GatewayReplicaReconciler } from './gateways/gateway-replica.reconciler.js';
import { GatewayReplicaSnapshots } from './gateways/gateway-replica-snapshots.js';
import { GatewaySecrets } from './gateways/gateway-secrets.js';
import { GatewaysController } from './gateways/gateways.controller.js';
import { GatewayChanges } from './gateways/gateway-changes.js';
import { GatewaysService } from './gateways/gateways.service.js';
import { OrphanBalancers } from './gateways/orphan-balancers.js';
import { ServicePlaces } from './gateways/service-places.js';
import { SshGatewayConnector } from './gateways/ssh-gateway-connector.js';
import { SshGatewayHosts } from './gateways/ssh-gateway-hosts.js';
import { AgentBundles } from './hosts/agent-bundles.js';
import { HostAccessStore } from './hosts/host-access.js';
import { HostDialer } from './hosts/host-dialer.js';
import { Hosts } from './hosts/hosts.js';
import { SshHosts } from './hosts/ssh-hosts.js';
import { InstanceCommit } from './instances/instance-commit.js';
import { InstanceEffects } from './instances/instance-effects.js';
import { InstanceHealth } from './instances/instance-health.js';
import { InstanceLimits } from './instances/instance-limits.js';
import { InstanceReader } from './instances/instance-reader.js';
import { InstanceReconciler } from './instances/instance.reconciler.js';
import { InstanceSnapshots } from './instances/instance-snapshots.js';
import { InstancesController } from './instances/instances.controller.js';
import { InstancesService } from './instances/instances.service.js';
import { OrphanCollector } from './instances/orphan-collector.js';
import { DirectoryQuarantine, Quarantine } from './instances/quarantine.js';
import { JobCommit } from './jobs/job-commit.js';
import { JobEffects } from './jobs/job-effects.js';
import { JobInputs } from './jobs/job-inputs.js';
import { JobReconciler } from './jobs/job.reconciler.js';
import { JobSnapshots } from './jobs/job-snapshots.js';
import { LogsModule } from './logs/logs.module.js';
import { MetricsRetention } from './metrics/metrics-retention.js';
import { Retention } from './retention/retention.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { ComputeAccounts } from './offers/compute-accounts.js';
import { OffersService } from './offers/offers.service.js';
import { BackendsAsker } from './placement/ask-backends.js';
import { PlacementCommit } from './placement/placement-commit.js';
import { PlacementLoop } from './placement/placement-loop.js';
import { PlacementPass } from './placement/placement-pass.js';
import { Notices } from './reconcile/notices.js';
import { ReconcileEngine } from './reconcile/reconcile-engine.js';
import { ServerIdentity } from './reconcile/server-identity.js';
import { Wake } from './reconcile/wake.js';
import { ClusterKeys } from './runs/cluster-keys.js';
import { JobOffers } from './runs/job-offers.js';
import { RunApplier } from './runs/run-applier.js';
import { RunCommit } from './runs/run-commit.js';
import { RunPlanner } from './runs/run-planner.js';
import { RunReader } from './runs/run-reader.js';
import { RunReconciler } from './runs/run.reconciler.js';
import { RunSnapshots } from './runs/run-snapshots.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';
import { ReplicaSubmitter } from './runs/submit-replicas.js';
import { StoredSecrets } from './secrets/stored-secrets.js';
import { HttpProbeAsker, ProbeAsker } from './services/probe-asker.js';
import { Prober } from './services/prober.js';
import { PortReplicaHttp, ReplicaHttp } from './services/replica-http.js';
import { RouterWorkers } from './services/router-workers.js';
import { ServiceTrafficStore } from './services/service-traffic.js';
import { LiveServices } from './services/proxy/live-services.js';
import { ServiceAccess } from './services/proxy/service-access.js';
import { ModelProxy } from './services/proxy/model-proxy.js';
import { ServiceForwarder } from './services/proxy/service-forwarder.js';
import { ServiceProxy } from './services/proxy/service-proxy.js';
import { SETTINGS, type ServerSettings } from './settings/settings.js';
import { ExportView } from './sharing/export-view.js';
import { SharedGateways } from './sharing/shared-gateways.js';
import { SharingController } from './sharing/sharing.controller.js';
import { SharingService } from './sharing/sharing.service.js';
import { SshProxyController } from './ssh-proxy/ssh-proxy.controller.js';
import { SshUpstreamService } from './ssh-proxy/ssh-upstream.service.js';
import { OrphanVolumes } from './volumes/orphan-volumes.js';
import { VolumeCommit } from './volumes/volume-commit.js';
import { VolumeEffects } from './volumes/volume-effects.js';
import { VolumeReader } from './volumes/volume-reader.js';
import { VolumeReconciler } from './volumes/volume.reconciler.js';
import { VolumeSnapshots } from './volumes/volume-snapshots.js';
import { VolumesController } from './volumes/volumes.controller.js';
import { VolumesService } from './volumes/volumes.service.js';
import { Workload } from './workload.js';

/** Runs, jobs, instances, fleets, volumes and gateways: what is asked for, where it runs, and the loops that bring one to the other. */
@Module({
  imports: [LogsModule, MetricsModule],
  controllers: [
    RunsController,
    FleetsController,
    InstancesController,
    VolumesController,
    CostsController,
    CatalogsController,
    GatewaysController,
    SharingController,
    SshProxyController,
  ],
  providers: [
    { provide: Notices, useFactory: () => new Notices() },
    Wake,
    ServerIdentity,
    ReconcileEngine,
    CostsService,
    RunsService,
    RunReader,
    JobOffers,
    RunPlanner,
    RunApplier,
    RunSnapshots,
    RunCommit,
    RunReconciler,
    ClusterKeys,
    ReplicaSubmitter,
    JobSnapshots,
    JobEffects,
    JobCommit,
    JobReconciler,
    { provide: JobInputs, useExisting: StoredSecrets },
    AgentBundles,
    { provide: AgentArchives, useClass: DownloadableAgents },
    ContainerStarts,
    HostAccessStore,
    HostDialer,
    { provide: Hosts, useClass: SshHosts },
    InstanceHealth,
    InstanceLimits,
    InstanceSnapshots,
    InstanceEffects,
    InstanceCommit,
    InstanceReconciler,
    InstanceReader,
    InstancesService,
    { provide: Quarantine, useClass: DirectoryQuarantine },
    OrphanCollector,
    DefaultFleetMaker,
    FleetReconciler,
    FleetsService,
    SshFleetHosts,
    PlacementGroups,
    OrphanVolumes,
    VolumeSnapshots,
    VolumeEffects,
    VolumeCommit,
    VolumeReconciler,
    VolumeReader,
    VolumesService,
    GatewaySecrets,
    GatewayReader,
    GatewayChanges,
    GatewaysService,
    GatewayBalancers,
    OrphanBalancers,
    GatewayReconciler,
    GatewayDialer,
    GatewayBundles,
    { provide: GatewayHosts, useClass: SshGatewayHosts },
    GatewayReplicaSnapshots,
    GatewayReplicaEffects,
    GatewayReplicaCommit,
    GatewayReplicaReconciler,
    { provide: GatewayConnector, useClass: SshGatewayConnector },
    DesiredStates,
    GatewayRegistrations,
    GatewayCertificates,
    GatewayLinks,
    ServicePlaces,
    SharedGateways,
    ExportView,
    SharingService,
    SshUpstreamService,
    OffersService,
    { provide: ComputeAccounts, useExisting: BackendAccounts },
    BackendsAsker,
    PlacementCommit,
    PlacementPass,
    PlacementLoop,
    { provide: AgentConnector, useClass: SocketAgentConnector },
    AgentRegistry,
    JobStates,
    { provide: OwnApi, useClass: ListeningApi },
    Connections,
    JobPorts,
    LiveServices,
    ServiceAccess,
    ServiceForwarder,
    ServiceProxy,
    ModelProxy,
    MetricsRetention,
    Retention,
    ServiceTrafficStore,
    { provide: ProbeAsker, useClass: HttpProbeAsker },
    Prober,
    { provide: ReplicaHttp, useClass: PortReplicaHttp },
    RouterWorkers,
    PriceListLoader,
    CatalogRefresher,
    Workload,
  ],
  exports: [Workload, ServiceProxy, Wake, Notices, ComputeAccounts, ServiceTrafficStore],
})
export class WorkloadModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(Workload) private readonly workload: Workload,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.settings.backgroundProcessing) await this.workload.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.workload.stop();
  }
}
