import type { JobPorts } from '../agents/job-ports.js';
import type { EventRecorder } from '../events/event-recorder.js';
import type { HostAccessStore } from '../hosts/host-access.js';
import type { Keyring } from '../keys/keyring.js';
import type { ComputeAccounts } from '../offers/compute-accounts.js';
import type { Database } from '../persistence/database.js';
import { NO_POLICIES } from '../policies/policies.js';
import type { Notices } from '../reconcile/notices.js';
import type { ServerIdentity } from '../reconcile/server-identity.js';
import type { Wake } from '../reconcile/wake.js';
import type { ServiceTrafficStore } from '../services/service-traffic.js';
import type { ServerSettings } from '../settings/settings.js';
import type { World } from '../world/world.js';
import { DesiredStates } from './desired-state.js';
import { GatewayBalancers } from './gateway-balancers.js';
import { GatewayCertificates } from './gateway-certificates.js';
import { GatewayChanges } from './gateway-changes.js';
import type { GatewayConnector } from './gateway-connector.js';
import type { GatewayHosts } from './gateway-hosts.js';
import { GatewayLinks } from './gateway-links.js';
import { GatewayReader } from './gateway-reader.js';
import { GatewayRegistrations } from './gateway-registrations.js';
import { GatewayReplicaCommit } from './gateway-replica-commit.js';
import { GatewayReplicaEffects } from './gateway-replica-effects.js';
import { GatewayReplicaReconciler } from './gateway-replica.reconciler.js';
import { GatewayReplicaSnapshots } from './gateway-replica-snapshots.js';
import { GatewayReconciler } from './gateway.reconciler.js';
import { GatewaySecrets } from './gateway-secrets.js';
import { GatewaysService } from './gateways.service.js';

/** How the machines of gateways are reached. */
export interface GatewayMachines {
  readonly hosts: GatewayHosts;
  readonly connector: GatewayConnector;
}

interface GatewayParts {
  readonly db: Database;
  readonly world: World;
  readonly settings: ServerSettings;
  readonly accounts: ComputeAccounts;
  readonly keyring: Keyring;
  readonly hostAccesses: HostAccessStore;
  readonly events: EventRecorder;
  readonly wake: Wake;
  readonly notices: Notices;
  readonly me: ServerIdentity;
  readonly traffic: ServiceTrafficStore;
  readonly ports: JobPorts;
}

const NO_HOSTS: GatewayHosts = {
  install: () => Promise.reject(new Error('there are no machines of gateways here')),
  uninstall: () => Promise.resolve(),
  wantedDigest: () => null,
};
/** Without machines nobody is linked to. */
const NO_LINKS = { start: () => undefined, stop: () => Promise.resolve() };

/** The same objects as `GatewaysModule`, put together by hand. */
export function buildGateways(parts: GatewayParts, machines: GatewayMachines | undefined) {
  const { db, world, accounts, keyring, events, wake } = parts;
  const secrets = new GatewaySecrets(keyring);
  const balancers = new GatewayBalancers(accounts, world);
  const hosts = machines?.hosts ?? NO_HOSTS;
  const changes = new GatewayChanges(secrets, events, wake, world);
  return {
    service: new GatewaysService(db, accounts, new GatewayReader(), changes, events, wake, NO_POLICIES),
    reconciler: new GatewayReconciler(wake, events, balancers, world),
    replicaReconciler: new GatewayReplicaReconciler(
      new GatewayReplicaSnapshots(hosts),
      new GatewayReplicaEffects(db, accounts, hosts, balancers, world),
      new GatewayReplicaCommit(wake, events, world),
    ),
    links: machines === undefined ? NO_LINKS : linksOf(parts, secrets, machines.connector),
  };
}

function linksOf(parts: GatewayParts, secrets: GatewaySecrets, connector: GatewayConnector): GatewayLinks {
  const { db, world, settings, keyring, hostAccesses, events, wake, notices, me, traffic, ports } = parts;
  const states = new DesiredStates(secrets, hostAccesses, settings);
  const registrations = new GatewayRegistrations(db, events, wake);
  const certificates = new GatewayCertificates(db, keyring, wake);
  return new GatewayLinks(db, connector, states, registrations, certificates, traffic, ports, me, wake, notices, world);
}
