import type { GatewayApi } from '@dstack/gateway-protocol';
import { GatewayConnector, GatewayHosts, type GatewayReplicaRecord } from '@dstack/server/parts';
import { NO_ANSWER } from '../network.js';
import type { ServerEpoch } from '../servers/server-epoch.js';
import type { GatewaySurroundings } from './gateway-surroundings.js';
import { SimulatedGateway } from './simulated-gateway.js';

const TIMEOUT_MS = 60_000;
const DIGEST = 'the only version';

/** As the script on a real host finds that it was let go for its replica. */
class LetGoError extends Error {
  override readonly name = 'LetGoError';
  readonly lasting = true;
}

/** Where the program of a gateway is: a rented machine by its id, a host of somebody's own by its name. */
export interface GatewayPlaces {
  /** Of a replica; null: it has none, or no more. */
  readonly of: (replicaId: string) => string | null;
  /** False: the machine is gone. */
  readonly isThere: (place: string) => boolean;
}

/** All programs of gateways, on rented machines and on hosts that users give. */
export class SimulatedGateways {
  private readonly programs = new Map<string, SimulatedGateway>();
  /** Replicas that their host was let go for, and whom each program was put there for. */
  private readonly letGo = new Set<string>();
  private readonly tenants = new Map<string, string>();

  constructor(
    private readonly places: GatewayPlaces,
    private readonly around: GatewaySurroundings,
  ) {}

  /** Those that run somewhere. */
  get living(): readonly SimulatedGateway[] {
    this.bury();
    return [...this.programs.values()];
  }

  at(place: string): SimulatedGateway | undefined {
    this.bury();
    return this.programs.get(place);
  }

  hostsFor(server: ServerEpoch): GatewayHosts {
    return new GatewayHostsOfServer(server, this);
  }

  connectorFor(server: ServerEpoch): GatewayConnector {
    return new GatewayConnectorOfServer((replicaId) => this.connect(replicaId, server));
  }

  visit<T>(server: ServerEpoch, what: string, place: string, signal: AbortSignal, effect: () => T): Promise<T> {
    return this.around.network.send({
      name: `gateway ${place}: ${what}`,
      server,
      signal,
      travelMs: [50, 2_000],
      answerMs: [50, 5_000],
      timeoutMs: () => TIMEOUT_MS,
      onTimeout: (text) => new Error(text),
      isPassedOn: false,
      isRepeatable: false,
      effect: () => (this.places.isThere(place) && this.at(place)?.isAway !== true ? effect() : NO_ANSWER),
    });
  }

  install(place: string, replicaId: string): string {
    const { story } = this.around;
    if (this.letGo.has(replicaId)) {
      story.tell(`gateway ${place}: is not installed, as the host was let go`);
      throw new LetGoError(`${place}: it was let go`);
    }
    this.tenants.set(place, replicaId);
    if (this.at(place) === undefined) {
      this.programs.set(place, new SimulatedGateway(place, this.around));
      story.tell(`gateway ${place}: is installed`);
    }
    return DIGEST;
  }

  uninstall(place: string, replicaId: string): void {
    this.letGo.add(replicaId);
    if ((this.tenants.get(place) ?? replicaId) !== replicaId) return;
    this.tenants.delete(place);
    this.programs.get(place)?.destroy();
    if (this.programs.delete(place)) this.around.story.tell(`gateway ${place}: is removed`);
  }

  private async connect(replicaId: string, server: ServerEpoch): Promise<GatewayApi> {
    const place = this.places.of(replicaId);
    const program = place === null ? undefined : this.at(place);
    if (program === undefined) throw new Error('nobody listens there');
    return program.connect(server);
  }

  /** What has ended with its machine. */
  private bury(): void {
    for (const [place, program] of this.programs) {
      if (this.places.isThere(place)) continue;
      program.destroy();
      this.programs.delete(place);
    }
  }
}

class GatewayHostsOfServer extends GatewayHosts {
  constructor(
    private readonly server: ServerEpoch,
    private readonly gateways: SimulatedGateways,
  ) {
    super();
  }

  override async install(replica: GatewayReplicaRecord, onReached: () => Promise<void>, signal: AbortSignal) {
    const place = placeOf(replica);
    await this.gateways.visit(this.server, 'reach', place, signal, () => undefined);
    await onReached();
    return this.gateways.visit(this.server, 'install', place, signal, () => this.gateways.install(place, replica.id));
  }

  override async uninstall(replica: GatewayReplicaRecord, signal: AbortSignal): Promise<void> {
    const place = placeOf(replica);
    await this.gateways.visit(this.server, 'remove', place, signal, () => this.gateways.uninstall(place, replica.id));
  }

  override wantedDigest(): string {
    return DIGEST;
  }
}

class GatewayConnectorOfServer extends GatewayConnector {
  constructor(private readonly open: (replicaId: string) => Promise<GatewayApi>) {
    super();
  }

  override connect(replicaId: string): Promise<GatewayApi> {
    return this.open(replicaId);
  }
}

function placeOf({ hostName, machine }: GatewayReplicaRecord): string {
  const place = hostName ?? machine?.ref.machineId;
  if (place === null || place === undefined) throw new Error('the replica has no machine');
  return place;
}
