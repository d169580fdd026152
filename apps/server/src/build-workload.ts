import type { AgentConnector } from './agents/agent-connector.js';
import { AgentRegistry } from './agents/agent-registry.js';
import { Connections } from './agents/connections.js';
import { JobPorts } from './agents/job-ports.js';
import { JobStates } from './agents/job-states.js';
import type { OwnApi } from './agents/own-api.js';
import { EventRecorder } from './events/event-recorder.js';
import type { AgentArchives } from './containers/agent-archives.js';
import { ContainerStarts } from './containers/container-starts.js';
import { DefaultFleetMaker } from './fleets/default-fleet.js';
import { Uploads } from './files/uploads.js';
import { FleetReconciler } from './fleets/fleet.reconciler.js';
import { FleetsService } from './fleets/fleets.service.js';
import { PlacementGroups } from './fleets/placement-groups.js';
import { SshFleetHosts } from './fleets/ssh-fleet-hosts.js';
import { buildGateways, type GatewayMachines } from './gateways/build-gateways.js';
import type { GatewaysService } from './gateways/gateways.service.js';
import { OrphanBalancers } from './gateways/orphan-balancers.js';
import { ServicePlaces } from './gateways/service-places.js';
import { HostAccessStore } from './hosts/host-access.js';
import type { Hosts } from './hosts/hosts.js';
import { InstanceCommit } from './instances/instance-commit.js';
import { InstanceEffects } from './instances/instance-effects.js';
import { InstanceHealth } from './instances/instance-health.js';
import { InstanceLimits } from './instances/instance-limits.js';
import { InstanceReader } from './instances/instance-reader.js';
import { InstanceReconciler } from './instances/instance.reconciler.js';
import { InstanceSnapshots } from './instances/instance-snapshots.js';
import { OrphanCollector } from './instances/orphan-collector.js';
import { NoQuarantine } from './instances/quarantine.js';
import { JobCommit } from './jobs/job-commit.js';
import { JobEffects } from './jobs/job-effects.js';
import type { JobInputs } from './jobs/job-inputs.js';
import { JobReconciler } from './jobs/job.reconciler.js';
import { JobSnapshots } from './jobs/job-snapshots.js';
import type { Keyring } from './keys/keyring.js';
import type { LogStore } from './logs/log-store.js';
import { SqlLogStore } from './logs/sql-log-store.js';
import { MetricsRetention } from './metrics/metrics-retention.js';
import { MetricsStore } from './metrics/metrics-store.js';
import type { ComputeAccounts } from './offers/compute-accounts.js';
import { OffersService } from './offers/offers.service.js';
import type { Database } from './persistence/database.js';
import { BackendsAsker } from './placement/ask-backends.js';
import { PlacementCommit } from './placement/placement-commit.js';
import { PlacementLoop } from './placement/placement-loop.js';
import { PlacementPass } from './placement/placement-pass.js';
import { Notices } from './reconcile/notices.js';
import { ReconcileEngine } from './reconcile/reconcile-engine.js';
import { ServerIdentity } from './reconcile/server-identity.js';
import { FIRST_LIFE, type ServerLives } from './reconcile/server-lives.js';
import { Wake } from './reconcile/wake.js';
import { ClusterKeys } from './runs/cluster-keys.js';
import { JobOffers } from './runs/job-offers.js';
import { RunApplier } from './runs/run-applier.js';
import { RunCommit } from './runs/run-commit.js';
import { RunPlanner } from './runs/run-planner.js';
import { RunReader } from './runs/run-reader.js';
import { RunReconciler } from './runs/run.reconciler.js';
import { RunSnapshots } from './runs/run-snapshots.js';
import { NO_POLICIES } from './policies/policies.js';
import { RunsService } from './runs/runs.service.js';
import { ReplicaSubmitter } from './runs/submit-replicas.js';
import type { ProbeAsker } from './services/probe-asker.js';
import { Prober } from './services/prober.js';
import { ServiceTrafficStore } from './services/service-traffic.js';
import type { ServerSettings } from './settings/settings.js';
import { Workload } from './workload.js';
import { OrphanVolumes } from './volumes/orphan-volumes.js';
import { VolumeCommit } from './volumes/volume-commit.js';
import { VolumeEffects } from './volumes/volume-effects.js';
import { VolumeReader } from './volumes/volume-reader.js';
import { VolumeReconciler } from './volumes/volume.reconciler.js';
import { VolumeSnapshots } from './volumes/volume-snapshots.js';
import { VolumesService } from './volumes/volumes.service.js';
import type { World } from './world/world.js';

export interface WorkloadParts {
  readonly db: Database;
  readonly world: World;
  readonly settings: ServerSettings;
  readonly accounts: ComputeAccounts;
  readonly connector: AgentConnector;
  readonly hosts: Hosts;
  readonly keyring: Keyring;
  readonly inputs: JobInputs;
  readonly agentArchives: AgentArchives;
  readonly clusterKeys?: ClusterKeys;
  readonly lives?: ServerLives;
  /** Absent: replicas of services are never asked, and never ready. */
  readonly probeAsker?: ProbeAsker;
  /** Absent: there are no machines of gateways, and nobody is linked to. */
  readonly gatewayMachines?: GatewayMachines;
  /** What stands before the store of logs. */
  readonly logsOf?: (store: LogStore) => LogStore;
}

export interface BuiltWorkload {
  readonly workload: Workload;
  readonly runs: RunsService;
  readonly fleets: FleetsService;
  readonly volumes: VolumesService;
  readonly gateways: GatewaysService;
  readonly traffic: ServiceTrafficStore;
  readonly notices: Notices;
  /** How this life of the server signs its leases. */
  readonly holder: string;
}

/** Without listeners there is no API for jobs to call. */
/** Neither a proxy in front of the jobs nor a registry of the server's own. */
const NO_SURROUNDINGS = { sshProxy: undefined, registryLogin: null };
const NO_API: OwnApi = { connect: () => Promise.reject(new Error('this server has no listener')) };

const NO_PROBES = { start: () => undefined, stop: () => Promise.resolve() };
const NO_ROUTERS = NO_PROBES;

/** The same objects as `WorkloadModule`, put together by hand. Logs go to the database. */
export function buildWorkload({
  db,
  world,
  settings,
  accounts,
  connector,
  hosts,
  keyring,
  inputs,
  agentArchives,
  clusterKeys = new ClusterKeys(),
  lives = FIRST_LIFE,
  probeAsker,
  gatewayMachines,
  logsOf = (logs) => logs,
}: WorkloadParts): BuiltWorkload {
  const notices = new Notices();
  const wake = new Wake(notices);
  const me = new ServerIdentity(world);
  const events = new EventRecorder(world, settings);
  const logs = logsOf(new SqlLogStore(db, world.scheduler));
  const metrics = new MetricsStore(db, world);
  const health = new InstanceHealth(db, wake, events, world);
  const limits = new InstanceLimits();
  const offers = new OffersService(accounts, world);
  const agents = new AgentRegistry();
  const defaultFleets = new DefaultFleetMaker(wake, events, world);
  const hostAccesses = new HostAccessStore(keyring);
  const submitter = new ReplicaSubmitter(wake, events, defaultFleets, world, clusterKeys, settings);
  const jobEffects = new JobEffects(db, agents, inputs, offers, hostAccesses, new Uploads(null), NO_SURROUNDINGS, logs);
  const reader = new RunReader(NO_SURROUNDINGS);
  const groups = new PlacementGroups(db, accounts, me, world);
  const places = new ServicePlaces(settings);
  const traffic = new ServiceTrafficStore(db, wake);
  const ports = new JobPorts(db, agents, connector, world);
  const gateways = buildGateways(
    { db, world, settings, accounts, keyring, hostAccesses, events, wake, notices, me, traffic, ports },
    gatewayMachines,
  );
  const applier = new RunApplier(db, wake, events, submitter, places, world);
  const workload = new Workload(
    new ReconcileEngine(db, world, notices, me, lives),
    new PlacementLoop(
      new PlacementPass(
        db,
        wake,
        new BackendsAsker(offers),
        defaultFleets,
        new PlacementCommit(wake, events, world, settings),
        limits,
        me,
      ),
      notices,
      world,
    ),
    new Connections(
      db,
      wake,
      notices,
      me,
      connector,
      agents,
      new JobStates(db, wake),
      metrics,
      health,
      logs,
      NO_API,
      world,
    ),
    new RunReconciler(new RunSnapshots(settings), new RunCommit(wake, events, submitter)),
    new JobReconciler(new JobSnapshots(limits), jobEffects, new JobCommit(wake, events, logs, world), me),
    new InstanceReconciler(
      new InstanceSnapshots(limits, hosts),
      new InstanceEffects(
        db,
        accounts,
        offers,
        limits,
        hosts,
        new ContainerStarts(db, inputs, agentArchives, NO_SURROUNDINGS),
        groups,
        world,
      ),
      new InstanceCommit(wake, events, world),
    ),
    new FleetReconciler(wake, events, world),
    groups,
    new VolumeReconciler(
      new VolumeSnapshots(),
      new VolumeEffects(db, accounts, world),
      new VolumeCommit(wake, events, world),
    ),
    gateways.reconciler,
    gateways.replicaReconciler,
    gateways.links,
    limits,
    jobEffects,
    new OrphanCollector(
      db,
      accounts,
      new OrphanVolumes(db, accounts, events, world),
      new OrphanBalancers(db, accounts, events, world),
      new NoQuarantine(),
      events,
      me,
      world,
    ),
    new MetricsRetention(metrics, health, settings, world),
    probeAsker === undefined ? NO_PROBES : new Prober(db, probeAsker, inputs, me, wake, notices, world),
    NO_ROUTERS,
    settings,
  );
  const runs = new RunsService(
    db,
    reader,
    new RunPlanner(db, offers, new JobOffers(offers), reader, places, settings),
    applier,
    events,
    wake,
    settings,
    NO_POLICIES,
  );
  const fleets = new FleetsService(
    db,
    new InstanceReader(),
    offers,
    new SshFleetHosts(hostAccesses, wake, world),
    events,
    wake,
    world,
    NO_POLICIES,
  );
  const volumes = new VolumesService(db, accounts, new VolumeReader(), events, wake, world, NO_POLICIES);
  return { workload, runs, fleets, volumes, gateways: gateways.service, traffic, notices, holder: me.holder };
}
