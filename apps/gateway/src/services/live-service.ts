import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TrafficReport } from '@dstack/core';
import type { GatewayReplica, GatewayService, ReplicaStatus, StatsSecond } from '@dstack/gateway-protocol';
import { chooseReplica, NotReadyError, WaitingRoom } from '@dstack/proxy';
import { listenAt, type SocketOwner } from '../files/listen-at.js';
import type { ReplicaWay } from '../replicas/replica-way.js';
import { carry } from './carry.js';
import { EarlyBytes } from './early-bytes.js';
import { NOT_READY, plainAnswer } from './plain-answer.js';
import { ServiceReplica } from './service-replica.js';
import { ServiceTraffic } from './service-traffic.js';

/** So many replicas are tried for one request. None of the earlier ones has seen anything of it. */
const MOST_TRIES = 3;

export interface LiveServiceTools {
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly after: (ms: number, then: () => void) => { cancel(): void };
  readonly way: (replica: GatewayReplica) => { readonly way: ReplicaWay; readonly release: () => void };
  /** What makes it another replica, or one that is reached in another way. */
  readonly identity: (replica: GatewayReplica) => string;
  /** Something that the status tells has changed. */
  readonly changed: () => void;
  /** The first request waits for a replica. */
  readonly held: () => void;
}

/** No replica could be reached. */
export class NoReplicaAnswersError extends Error {
  override readonly name = 'NoReplicaAnswersError';
}

/** One request on its way to a replica. */
interface Route {
  readonly stream: Duplex;
  readonly replica: ServiceReplica;
}

/**
 * A service as nginx finds it: a socket at which every connection is one request. Each goes to the replica with the fewest of them; while there is
 * none it waits.
 */
export class LiveService {
  private readonly server: Server;
  private readonly open = new Set<Socket>();
  private readonly traffic: ServiceTraffic;
  private room: WaitingRoom;
  private replicas = new Map<string, ServiceReplica>();
  private readonly leaving = new Set<ServiceReplica>();
  private readonly stopListening = new Map<string, () => void>();
  /** Where another program of this gateway has taken over: who waits here goes there. */
  private successor: string | null = null;
  private isClosed = false;

  constructor(
    public service: GatewayService,
    readonly socketPath: string,
    private readonly tools: LiveServiceTools,
    former: readonly StatsSecond[] = [],
  ) {
    this.traffic = new ServiceTraffic(tools.now, former);
    this.room = this.newRoom();
    this.server = createServer((socket) => void this.take(socket));
    this.update(service);
  }

  async listen(owner: SocketOwner): Promise<void> {
    await listenAt(this.server, this.socketPath, owner, process.pid);
  }

  /** Replicas that stay keep what is under way; the others get no more, and what they do ends. */
  update(service: GatewayService): void {
    const { hold } = this.service;
    this.service = service;
    const kept = new Map<string, ServiceReplica>();
    for (const wanted of service.replicas) {
      const key = this.tools.identity(wanted);
      const known = this.replicas.get(key);
      kept.set(key, known ?? this.add(key, wanted));
    }
    for (const [key, replica] of this.replicas) if (!kept.has(key)) this.remove(key, replica);
    this.replicas = kept;
    if (hold.places !== service.hold.places || hold.seconds !== service.hold.seconds) {
      const before = this.room;
      this.room = this.newRoom();
      before.open();
    } else {
      this.openRoom();
    }
  }

  /** @throws {NotReadyError} {NoReplicaAnswersError} */
  async route(gone: AbortSignal): Promise<Route> {
    const { now, random } = this.tools;
    const tried = new Set<string>();
    const heldUntil = now() + this.service.hold.seconds * 1000;
    for (;;) {
      const ready = [...this.replicas.values()].filter(({ isReady }) => isReady);
      const replica = tried.size < MOST_TRIES ? chooseReplica(ready, tried, now(), random) : null;
      if (replica === null) {
        if (tried.size > 0) throw new NoReplicaAnswersError('no replica of the service can be reached');
        if (this.isClosed || now() >= heldUntil) throw new NotReadyError('no replica became ready in time');
        await this.hold(gone);
        continue;
      }
      tried.add(replica.id);
      // Counted before it is open: many come at once.
      replica.begin();
      try {
        return { stream: await replica.open(), replica };
      } catch (error) {
        replica.end();
        replica.failed(error instanceof Error ? error.message : String(error), now());
        this.tools.changed();
        if (gone.aborted) throw gone.reason;
      }
    }
  }

  /** A stream for one request; it counts until it is closed. @throws {NotReadyError} {NoReplicaAnswersError} */
  async openStream(gone: AbortSignal): Promise<Duplex> {
    const startedAt = this.tools.now();
    const { stream, replica } = await this.route(gone);
    let status: number | null = null;
    stream.once('data', (chunk: Buffer) => {
      status = Number(chunk.toString('latin1', 9, 12)) || null;
      replica.answered();
    });
    // Whoever reads it learns of it; reading begins with who asked for it.
    stream.on('error', () => undefined).pause();
    stream.once('close', () => {
      replica.end();
      this.traffic.count(replica.group, this.tools.now() - startedAt, status);
    });
    return stream;
  }

  report(): TrafficReport {
    for (const replica of [...this.leaving]) if (replica.inFlight === 0) this.leaving.delete(replica);
    const inFlight: Record<string, number> = {};
    for (const { id, inFlight: count } of [...this.replicas.values(), ...this.leaving])
      if (count > 0) inFlight[id] = (inFlight[id] ?? 0) + count;
    return { groups: this.traffic.windows(), inFlight, held: this.room.size };
  }

  secondsBetween(from: number, to: number): StatsSecond[] {
    return this.traffic.between(from, to);
  }

  replicaStatus(): ReplicaStatus[] {
    return [...this.replicas.values()].map((replica) => replica.status());
  }

  /** The service is no more: who waits is told so, and what is under way ends by itself. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.server.close();
    await rm(this.socketPath, { force: true });
    this.leaveReplicas();
  }

  /** Another program listens at the socket's path now. Resolves when the last request here has ended. */
  async handOver(): Promise<void> {
    this.successor = this.socketPath;
    this.isClosed = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.leaveReplicas();
    await closed;
  }

  private leaveReplicas(): void {
    for (const [key, replica] of this.replicas) this.remove(key, replica);
    this.replicas.clear();
    this.room.open();
  }

  private async take(socket: Socket): Promise<void> {
    this.open.add(socket);
    socket.once('close', () => this.open.delete(socket));
    socket.on('error', () => socket.destroy());
    const { now } = this.tools;
    const startedAt = now();
    const early = new EarlyBytes(socket);
    let route: Route;
    try {
      route = await this.route(early.gone);
    } catch (error) {
      const bytes = early.take();
      if (this.successor !== null) goTo(this.successor, socket, bytes);
      else this.refuse(socket, error, now() - startedAt, early.gone.aborted);
      return;
    }
    const { stream, replica } = route;
    let isCounted = false;
    const count = (status: number | null): void => {
      if (isCounted) return;
      isCounted = true;
      this.traffic.count(replica.group, now() - startedAt, status);
    };
    const carried = await carry(socket, early.take(), stream, (status) => {
      replica.answered();
      // It stays open for as long as its two ends like.
      if (status === 101) count(status);
    });
    replica.end();
    if (carried.hasBrokenOff) {
      replica.failed('the replica ended the connection before it had answered', now());
      this.tools.changed();
    }
    count(carried.status);
  }

  private refuse(socket: Socket, error: unknown, ms: number, isGone: boolean): void {
    if (isGone) return void socket.destroy();
    const group = this.service.replicas[0]?.group ?? '0';
    if (error instanceof NotReadyError) {
      this.traffic.count(group, ms, 503);
      socket.end(NOT_READY);
    } else {
      this.traffic.count(group, ms, 502);
      socket.end(plainAnswer(502, 'No replica of the service can be reached'));
    }
  }

  private async hold(gone: AbortSignal): Promise<void> {
    const isFirst = this.room.size === 0;
    const waiting = this.room.wait(gone);
    if (isFirst && this.room.size > 0) this.tools.held();
    await waiting;
  }

  private newRoom(): WaitingRoom {
    const { places, seconds } = this.service.hold;
    return new WaitingRoom({ places, longestMs: seconds * 1000, after: this.tools.after });
  }

  private openRoom(): void {
    if ([...this.replicas.values()].some(({ isReady }) => isReady)) this.room.open();
  }

  private add(key: string, wanted: GatewayReplica): ServiceReplica {
    const { way, release } = this.tools.way(wanted);
    const stop = way.onChange(() => {
      this.tools.changed();
      if (way.isReady) this.openRoom();
    });
    this.stopListening.set(key, stop);
    return new ServiceReplica(wanted, way, release);
  }

  private remove(key: string, replica: ServiceReplica): void {
    this.stopListening.get(key)?.();
    this.stopListening.delete(key);
    replica.leave();
    if (replica.inFlight > 0) this.leaving.add(replica);
  }
}

/** To the program that serves this path now. */
function goTo(path: string, socket: Socket, early: Buffer): void {
  if (socket.destroyed) return;
  const next = createConnection({ path });
  next.on('error', () => socket.destroy());
  next.once('connect', () => void carry(socket, early, next, () => undefined));
}
