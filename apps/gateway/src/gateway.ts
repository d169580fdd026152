import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type {
  ChallengeAnswer,
  GatewayAccess,
  GatewayCertificate,
  GatewayInfo,
  GatewayProblem,
  GatewayState,
  GatewayStats,
  GatewayStatus,
  HostStatus,
  Wait,
} from '@dstack/gateway-protocol';
import { GATEWAY_PROTOCOL, StaleRevisionError } from '@dstack/gateway-protocol';
import { openSshConnection } from '@dstack/ssh';
import { TokenBook } from './access/token-access.js';
import { type AccessAnswer, WhoMayAsk } from './access/who-may-ask.js';
import { AppServer } from './app/app-server.js';
import { Certificates, type Named } from './certificates/certificates.js';
import { ChallengeBook } from './certificates/challenge-book.js';
import { Changes } from './control/changes.js';
import type { Controlled, CountedTraffic } from './control/control-server.js';
import { listenAt, type SocketOwner } from './files/listen-at.js';
import { ModelProxy } from './models/model-proxy.js';
import { DataPlane } from './nginx/data-plane.js';
import type { WorkerUser } from './nginx/worker-user.js';
import { ServerLead } from './replicas/server-lead.js';
import { SshHosts } from './replicas/ssh-hosts.js';
import { ServiceTable } from './services/service-table.js';
import { AccessLog } from './traffic/access-log.js';
import { openConnections } from './tunnels/open-connections.js';
import { Tunnels } from './tunnels/tunnels.js';
import type { GatewaySettings } from './settings.js';
import { LastWord } from './state/last-word.js';
import { StateFile } from './state/state-file.js';
import { GATEWAY_VERSION } from './version.js';

/** How often nginx is looked after, and the time of the server's last word kept. */
const WATCH_MS = 2_000;

const now = Date.now;
const after = (ms: number, then: () => void): { cancel(): void } => {
  const timer = setTimeout(then, ms);
  return { cancel: () => clearTimeout(timer) };
};

export interface GatewayParts {
  readonly settings: GatewaySettings;
  readonly gatewayId: string;
  /** Null: this program is not root, and neither is nginx. */
  readonly workers: WorkerUser | null;
  /** What the program before this one has counted. */
  readonly former: CountedTraffic;
}

/** One gateway replica: holds what the server said last, and makes nginx and the ways to replicas follow it. */
export class Gateway implements Controlled {
  private readonly startedAt = now();
  private readonly changes = new Changes();
  private readonly held = new Changes();
  private readonly tokens = new TokenBook();
  private readonly challenges = new ChallengeBook({ after, changed: () => this.changes.tell() });
  private readonly certificateBook: Certificates;
  private readonly models: ModelProxy;
  private readonly app: AppServer;
  private readonly stateFile: StateFile;
  private readonly dataPlane: DataPlane;
  private readonly services: ServiceTable;
  private readonly lead = new ServerLead(after);
  private readonly sockets: SocketOwner;
  private readonly word: LastWord;
  private readonly log: AccessLog;
  private readonly tunnels: Tunnels;
  private readonly whoMayAsk: WhoMayAsk;
  private state: GatewayState | null = null;
  private access: GatewayAccess | null = null;
  private heldTold = this.held.current;
  private following: Promise<void> = Promise.resolve();
  private nextApply: Promise<void> = Promise.resolve();
  private watching: { cancel(): void } | null = null;
  private isOver = false;

  constructor(private readonly parts: GatewayParts) {
    const { settings, workers } = parts;
    const { dir } = settings;
    this.sockets = { user: null, group: workers?.group ?? null };
    this.stateFile = new StateFile(join(dir, 'state'));
    this.word = new LastWord(this.stateFile, now);
    this.services = new ServiceTable({
      directory: join(dir, 'run', 's'),
      sockets: this.sockets,
      hosts: new SshHosts({
        connect: connectSsh,
        tunnel: (target, remote, replica) => this.tunnels.make(target, remote, replica),
        after,
        random: Math.random,
      }),
      lead: this.lead,
      former: parts.former,
      now,
      random: Math.random,
      after,
      changed: () => this.changes.tell(),
      held: () => this.held.tell(),
    });
    this.log = new AccessLog(join(dir, 'nginx', 'access.log'), (line) => this.services.countTunnelled(line));
    this.certificateBook = new Certificates({
      settings,
      challenges: this.challenges,
      now,
      after,
      changed: () => this.changes.tell(),
      renewed: () => void this.applyDataPlane(),
    });
    this.whoMayAsk = new WhoMayAsk(this.tokens, this.word, now);
    this.models = new ModelProxy({
      now,
      models: () => this.state?.models ?? [],
      service: (id) => this.services.find(id),
      token: (authorization) => this.whoMayAsk.token(authorization),
      isStale: () => this.word.isStale,
    });
    this.app = new AppServer({
      access: (serviceId, authorization) => this.decideAccess(serviceId, authorization),
      challenge: (token) => this.challenges.answer(token),
      models: (project, request, response) => this.models.answer(project, request, response),
    });
    this.dataPlane = new DataPlane({ settings, workers, appSocketPath: this.appSocketPath() });
    this.tunnels = new Tunnels({
      ssh: settings.ssh,
      directory: this.runDirectory(),
      sockets: this.sockets,
      now,
      after,
      random: Math.random,
      replicas: (serviceId) => this.services.laneReplicas(serviceId),
      formerWorkers: () => this.dataPlane.formerWorkers(),
    });
  }

  /** Goes on with what was said last, the server being there or not. */
  async start(): Promise<void> {
    const { dir } = this.parts.settings;
    await mkdir(join(dir, 'run'), { recursive: true, mode: 0o711 });
    await this.log.start();
    await this.tunnels.start();
    await this.certificateBook.load();
    const state = await this.stateFile.read();
    await this.word.read();
    await listenAt(this.app.server, this.appSocketPath(), this.sockets, process.pid);
    if (state !== null) {
      this.tokens.take(state.access);
      this.access = state.access;
      this.state = state;
    }
    await this.followInTurn();
    this.watch();
  }

  heard(): void {
    this.word.heard();
  }

  info(): GatewayInfo {
    return {
      service: 'dstack-gateway',
      version: GATEWAY_VERSION,
      protocol: GATEWAY_PROTOCOL,
      gatewayId: this.parts.gatewayId,
      startedAt: this.startedAt,
      revision: this.state?.revision ?? -1,
      accessRevision: this.tokens.revision,
    };
  }

  async putState(state: GatewayState): Promise<GatewayStatus> {
    const held = this.state?.revision ?? -1;
    if (state.revision < held) throw new StaleRevisionError(held);
    this.state = state;
    if (this.tokens.take(state.access)) this.access = state.access;
    await this.dataPlane.forgetAnswers();
    // Whatever becomes of it: a restart goes on with it.
    await this.stateFile.write(state, this.access ?? state.access);
    await this.followInTurn();
    return this.statusNow();
  }

  async putAccess(access: GatewayAccess): Promise<void> {
    if (!this.tokens.take(access)) throw new StaleRevisionError(this.tokens.revision);
    this.access = access;
    await this.dataPlane.forgetAnswers();
    if (this.state !== null) await this.stateFile.write(this.state, access);
    this.changes.tell();
  }

  async status({ after: known, waitMs }: Wait, signal: AbortSignal): Promise<GatewayStatus> {
    await this.changes.wait(known, waitMs, signal);
    return this.statusNow();
  }

  async stats({ after: cursor, waitMs }: Wait, signal: AbortSignal): Promise<GatewayStats> {
    await this.held.wait(this.heldTold, waitMs, signal);
    this.heldTold = this.held.current;
    await this.log.read();
    const connections = await openConnections();
    const until = Math.floor(now() / 1000);
    return { cursor: until, services: this.services.stats(cursor, until, connections) };
  }

  async traffic(): Promise<CountedTraffic> {
    await this.log.read();
    return this.services.counted();
  }

  putChallenges(answers: readonly ChallengeAnswer[]): void {
    this.challenges.put(answers);
  }

  certificates(): Promise<GatewayCertificate[]> {
    return this.certificateBook.all();
  }

  async putCertificates(certificates: readonly GatewayCertificate[]): Promise<void> {
    if (await this.certificateBook.put(certificates)) await this.applyDataPlane();
  }

  takeLead(stream: Duplex): void {
    this.lead.take(stream);
  }

  /** Another program of this gateway has taken over all its sockets. Resolves when what was under way here has ended. */
  async handOver(): Promise<void> {
    this.isOver = true;
    this.watching?.cancel();
    this.certificateBook.stop();
    this.lead.handOver();
    await Promise.all([this.app.handOver(), this.services.handOver()]);
    await this.tunnels.whenEnded();
  }

  /** One state after the other; those that came meanwhile are passed over. */
  private followInTurn(): Promise<void> {
    const turn = this.following.then(() => this.follow());
    this.following = turn.catch(() => undefined);
    return turn;
  }

  private async follow(): Promise<void> {
    const { state } = this;
    if (state === null) return this.applyDataPlane();
    this.word.holdMs = state.holdSeconds * 1000;
    await this.services.follow(state);
    this.certificateBook.update([...state.services, ...state.modelHosts], state.acme);
    await this.applyDataPlane();
    // Another program's sockets are at these paths then.
    if (this.isOver) return;
    await this.services.dropOthers(state.services);
    this.changes.tell();
  }

  /** One after the other; each takes what holds when its turn comes. */
  private applyDataPlane(): Promise<void> {
    const turn = this.nextApply.then(async () => {
      if (this.isOver) return;
      const { state } = this;
      const lanes = await this.tunnels.next(this.serviceIds());
      await this.dataPlane.apply({
        services: (state?.services ?? []).map((service) => ({
          service,
          socketPath: this.services.socketPath(service.id),
          tunnels: lanes.get(service.id) ?? [],
          certificatePath: this.certificateBook.pathOf(service),
        })),
        modelHosts: (state?.modelHosts ?? []).map((modelHost) => ({
          modelHost,
          certificatePath: this.certificateBook.pathOf(modelHost),
        })),
        trustedProxies: state?.trustedProxies ?? [],
      });
      this.tunnels.took(lanes);
      if (this.dataPlane.problem === null) await this.certificateBook.prune();
      this.changes.tell();
    });
    this.nextApply = turn.catch((error: unknown) => {
      process.stderr.write(`nginx: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    });
    return this.nextApply;
  }

  private serviceIds(): string[] {
    return (this.state?.services ?? []).map(({ id }) => id);
  }

  private statusNow(): GatewayStatus {
    const { state } = this;
    return {
      revision: state?.revision ?? -1,
      accessRevision: this.tokens.revision,
      change: this.changes.current,
      heardAt: this.word.at,
      heldUntil: this.word.heldUntil,
      nginxProblem: this.dataPlane.problem,
      services: (state?.services ?? []).map((service) => ({
        id: service.id,
        ...this.hostStatus(service),
        replicas: this.services.replicaStatus(service.id),
      })),
      modelHosts: (state?.modelHosts ?? []).map((modelHost) => this.hostStatus(modelHost)),
      challenges: this.challenges.open(),
    };
  }

  private hostStatus(named: Named): HostStatus {
    const { host } = named;
    const certificate = this.certificateBook.statusOf(named);
    const problem: GatewayProblem | null = this.dataPlane.problemOf(host) ?? certificate?.problem ?? null;
    return { host, isServed: this.dataPlane.serves(host), problem, certificate };
  }

  private decideAccess(serviceId: string, authorization: string | undefined): AccessAnswer | null {
    const service = this.services.find(serviceId)?.service;
    return service === undefined ? null : this.whoMayAsk.decide(service, authorization);
  }

  private watch(): void {
    this.watching = after(WATCH_MS, () => {
      void (async () => {
        await this.word.keep();
        await this.log.read();
        const isBehind = await this.tunnels.areBehind(this.serviceIds());
        if (isBehind || (await this.dataPlane.needsHelp())) await this.applyDataPlane();
        await this.tunnels.endOrphans();
      })()
        .catch((error: unknown) => {
          process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        })
        .finally(() => {
          if (!this.isOver) this.watch();
        });
    });
  }

  private runDirectory(): string {
    return join(this.parts.settings.dir, 'run');
  }

  private appSocketPath(): string {
    return join(this.runDirectory(), 'app.sock');
  }
}

/** A host that is cut off is noticed within a quarter of a minute. */
async function connectSsh(...[target, signal]: Parameters<ConstructorParameters<typeof SshHosts>[0]['connect']>) {
  const connection = await openSshConnection(target, { signal, keepAliveMs: 5_000 });
  // sshd holds small packets back (40 ms) unless the connection had a command once; what becomes of it is no matter.
  connection.exec('true', { signal }).catch(() => undefined);
  return connection;
}
