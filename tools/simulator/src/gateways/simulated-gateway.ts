import {
  type GatewayApi,
  type GatewayInfo,
  type GatewayState,
  type GatewayStateInput,
  type GatewayStats,
  type GatewayStatus,
  GatewayRequestError,
  GatewayUnreachableError,
  parseGatewayState,
  StaleRevisionError,
  type Wait,
} from '@dstack/gateway-protocol';
import type { Link } from '../hosts/link.js';
import { Reach } from '../hosts/reach.js';
import { NO_ANSWER } from '../network.js';
import type { ServerEpoch } from '../servers/server-epoch.js';
import type { GatewaySurroundings } from './gateway-surroundings.js';

const TIMEOUT_MS = 10_000;
const TUNNEL_MS = [50, 5_000] as const;

/** The program on one machine of a gateway: does what it was told last, restarts, and is out of reach for a while. */
export class SimulatedGateway {
  private readonly reach: Reach;
  private state: GatewayState | null = null;
  private accessRevision = -1;
  /** Replicas that a connection leads to. */
  private readonly tunnels = new Set<string>();
  private change = 1;
  private cursor = 0;

  constructor(
    readonly place: string,
    private readonly around: GatewaySurroundings,
  ) {
    this.reach = new Reach(`gateway ${place}`, around, {
      onRestart: () => this.forget(),
      onUp: () => this.digAll(),
    });
    this.reach.start();
    this.reach.planTrouble();
  }

  get isAway(): boolean {
    return this.reach.isAway;
  }

  /** Who gets requests here, by service. */
  get served(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.state?.services.map(({ id, replicas }) => [id, replicas.map((replica) => replica.id)]));
  }

  /** It is removed, or its machine has ended. */
  destroy(): void {
    this.reach.destroy('the gateway is gone');
  }

  connect(server: ServerEpoch): GatewayApi {
    const { link, close } = this.reach.open();
    const ask = <T>(name: string, signal: AbortSignal, effect: () => T): Promise<T> =>
      this.ask({ link, server }, name, signal, effect);
    const waitFor = (isNews: () => boolean, { waitMs }: Wait, signal: AbortSignal): Promise<unknown> => {
      link.assertWhole();
      if (isNews() || waitMs === 0) return Promise.resolve();
      return link.untilWoken({ time: this.around.time, server, signal, limitMs: waitMs });
    };
    return {
      info: (signal) => ask('info', signal, () => this.info()),
      putState: (state, signal) => ask(`state ${state.revision}`, signal, () => this.take(state)),
      putAccess: ({ revision }, signal) => ask(`access ${revision}`, signal, () => this.takeAccess(revision)),
      status: async (wait, signal) => {
        await waitFor(() => this.change !== wait.after, wait, signal);
        return ask('status', signal, () => this.status());
      },
      stats: async (wait, signal) => {
        await waitFor(() => false, wait, signal);
        return ask('stats', signal, () => this.stats());
      },
      // Nobody asks for certificates here.
      putChallenges: () => Promise.resolve(),
      certificates: () => Promise.resolve([]),
      putCertificates: () => Promise.resolve(),
      // Nor for replicas on the servers' own machine.
      ledConnection: () => Promise.reject(new GatewayRequestError(404, 'not_found', 'it is of before these')),
      close,
    };
  }

  private async ask<T>(
    { link, server }: { readonly link: Link; readonly server: ServerEpoch },
    name: string,
    signal: AbortSignal,
    effect: () => T,
  ): Promise<T> {
    const answer = await this.around.network.send({
      name: `gateway ${this.place}: ${name}`,
      server,
      signal,
      travelMs: [1, 60],
      answerMs: [1, 60],
      timeoutMs: () => TIMEOUT_MS,
      onTimeout: (what) => new GatewayUnreachableError(what),
      isPassedOn: false,
      isRepeatable: false,
      effect: () => {
        if (!this.reach.answers) return NO_ANSWER;
        link.assertWhole();
        return effect();
      },
    });
    link.assertWhole();
    return answer;
  }

  private info(): GatewayInfo {
    return {
      service: 'dstack-gateway',
      version: '0.1.0',
      protocol: { min: 1, max: 1 },
      gatewayId: this.place,
      startedAt: 0,
      revision: this.state?.revision ?? -1,
      accessRevision: this.accessRevision,
    };
  }

  private take(input: GatewayStateInput): GatewayStatus {
    const { story } = this.around;
    const state = this.parse(input);
    const held = this.state?.revision ?? -1;
    if (state.revision < held) throw new StaleRevisionError(held);
    this.state = state;
    this.accessRevision = state.access.revision;
    story.tell(
      `gateway ${this.place}: serves ${state.services.map(({ run, replicas }) => `${run} by ${replicas.length}`).join(', ') || 'nothing'}`,
    );
    const wanted = new Set([...this.served.values()].flat());
    for (const id of this.tunnels) if (!wanted.has(id)) this.tunnels.delete(id);
    for (const id of wanted) this.dig(id);
    this.tellChange();
    return this.status();
  }

  private parse(input: GatewayStateInput): GatewayState {
    try {
      return parseGatewayState(input);
    } catch (error) {
      this.around.story.violate(`gateway ${this.place} is told what it does not understand: ${String(error)}`);
      throw error;
    }
  }

  private takeAccess(revision: number): void {
    if (revision < this.accessRevision) throw new StaleRevisionError(this.accessRevision);
    this.accessRevision = revision;
  }

  private dig(replica: string): void {
    if (this.tunnels.has(replica)) return;
    this.around.time.after(this.around.random.between(...TUNNEL_MS), () => {
      if (!this.reach.isRunning || this.tunnels.has(replica)) return;
      if (![...this.served.values()].some((replicas) => replicas.includes(replica))) return;
      this.tunnels.add(replica);
      this.tellChange();
    });
  }

  private status(): GatewayStatus {
    const now = this.around.time.now();
    return {
      revision: this.state?.revision ?? -1,
      accessRevision: this.accessRevision,
      change: this.change,
      heardAt: now,
      heldUntil: now + 3_600_000,
      nginxProblem: null,
      services: (this.state?.services ?? []).map(({ id, host, replicas }) => ({
        id,
        host,
        isServed: true,
        problem: null,
        certificate: null,
        replicas: replicas.map((replica) => ({ id: replica.id, isReady: this.tunnels.has(replica.id), problem: null })),
      })),
      modelHosts: [],
      challenges: [],
    };
  }

  private stats(): GatewayStats {
    const { random } = this.around;
    this.cursor += 1;
    return {
      cursor: this.cursor,
      services: [...this.served].map(([serviceId, replicas]) => {
        const requests = random.chance(0.5) ? 0 : random.whole(0, 120);
        const ready = replicas.filter((id) => this.tunnels.has(id));
        const inFlight = Object.fromEntries(ready.map((id) => [id, requests === 0 ? 0 : 1]));
        const groups = { '0': [{ seconds: 30, requests, meanMs: 10 }] };
        return {
          serviceId,
          traffic: { groups, inFlight, held: ready.length === 0 && requests > 0 ? 1 : 0 },
          seconds: [],
        };
      }),
    };
  }

  private tellChange(): void {
    this.change += 1;
    this.reach.wake();
  }

  private forget(): void {
    this.tunnels.clear();
    this.change = 1;
  }

  private digAll(): void {
    for (const id of [...this.served.values()].flat()) this.dig(id);
  }
}
