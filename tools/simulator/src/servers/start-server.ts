import {
  BackendAccounts,
  BackendsService,
  BackendEnvironments,
  BundledCatalogs,
  BackendStore,
  buildWorkload,
  type BuiltWorkload,
  ClusterKeys,
  Database,
  EventRecorder,
  Keyring,
  readSettings,
} from '@dstack/server/parts';
import { NoDownload } from '../clouds/no-download.js';
import { SimulatedBackends } from '../clouds/simulated-backends.js';
import type { SimulatedCloud } from '../clouds/simulated-cloud.js';
import type { SimulatedGateways } from '../gateways/simulated-gateways.js';
import { NoInputs } from '../hosts/no-inputs.js';
import { SimulatedConnector } from '../hosts/simulated-connector.js';
import type { SimulatedProbes } from '../hosts/simulated-probes.js';
import type { SimulatedHosts } from '../hosts/simulated-hosts.js';
import type { LeasesFence } from '../invariants/leases-fence.js';
import type { DatabaseLine } from './database-line.js';
import type { Front } from './front.js';
import type { LogRoom } from './log-room.js';
import type { WakeUpsAreKept } from '../invariants/wake-ups-are-kept.js';
import { type Activity, mortalEngine } from './mortal-engine.js';
import type { ServerEpoch } from './server-epoch.js';
import type { SimulatedDatabase } from './simulated-database.js';

/** What a server finds when it starts. */
export interface Outside {
  readonly database: SimulatedDatabase;
  readonly clouds: readonly SimulatedCloud[];
  readonly hosts: SimulatedHosts;
  /** Null: there are none. */
  readonly gateways: SimulatedGateways | null;
  readonly installation: string;
  readonly activity: Activity;
  readonly fence: LeasesFence;
  readonly wakeUps: WakeUpsAreKept;
  readonly logRoom: LogRoom;
  /** Null: there are no services. */
  readonly probes: SimulatedProbes | null;
}

export interface Started {
  readonly front: Front;
  readonly built: BuiltWorkload;
}

const SETTINGS = {
  ...readSettings({}, { serverDir: '/nowhere', logLevel: 'CRITICAL' }).settings,
  localBackend: false,
};

class OneKey extends ClusterKeys {
  override create() {
    return { private: 'simulated', public: 'ssh-rsa AAAA simulated' };
  }
}

/** The server's own objects, with a simulated world below them. */
export function startServer(epoch: ServerEpoch, line: DatabaseLine | null, outside: Outside): Started {
  const { database, clouds, hosts, gateways, installation, activity, fence, wakeUps, probes, logRoom } = outside;
  const { world } = epoch;
  let holder = '';
  const beforeCommit = (): void => {
    fence.beforeCommit(epoch.name, holder, database.clock.now());
    wakeUps.beforeCommit(epoch.name, database.clock.now());
  };
  const reached = database.engine({ afterRead: (sql, rows) => wakeUps.afterRead(sql, rows), beforeCommit });
  const engine = mortalEngine(reached, epoch, activity, line);
  // As the server does on SQLite.
  const db = new Database(engine, { groupsCommits: !database.isShared });
  const keyring = new Keyring([], world.random);
  const registry = new SimulatedBackends(clouds, epoch);
  const store = new BackendStore(keyring, world);
  const environments = new BackendEnvironments(SETTINGS, world, new BundledCatalogs());
  const agentAt = (socketPath: string) =>
    clouds.map((cloud) => cloud.agentAt(socketPath)).find((agent) => agent !== null) ?? hosts.agentAt(socketPath);
  const built = buildWorkload({
    db,
    world,
    settings: SETTINGS,
    accounts: new BackendAccounts(db, store, registry, SETTINGS, { id: installation }, environments),
    connector: new SimulatedConnector(agentAt, epoch),
    hosts: hosts.for(epoch),
    keyring,
    inputs: new NoInputs(),
    agentArchives: new NoDownload(),
    clusterKeys: new OneKey(),
    logsOf: (logs) => logRoom.before(logs),
    ...(probes === null ? {} : { probeAsker: probes }),
    ...(gateways === null
      ? {}
      : { gatewayMachines: { hosts: gateways.hostsFor(epoch), connector: gateways.connectorFor(epoch) } }),
  });
  holder = built.holder;
  const backends = new BackendsService(db, store, registry, new EventRecorder(world, SETTINGS), environments, SETTINGS);
  return {
    built,
    front: {
      epoch,
      runs: built.runs,
      fleets: built.fleets,
      volumes: built.volumes,
      gateways: built.gateways,
      backends,
      traffic: built.traffic,
    },
  };
}
