import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createConnection, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TrafficReport } from '@dstack/core';
import type { GatewayReplica, GatewayService, ReplicaStatus, StatsSecond } from '@dstack/gateway-protocol';
import { NotReadyError, ReplicaSet, type ReplicaTarget, WaitingRoom } from '@dstack/proxy';
import { listenAt, type SocketOwner } from '../files/listen-at.js';
import type { ReplicaWay } from '../replicas/replica-way.js';
import type { LaneReplica } from '../tunnels/lane.js';
import { RequestAnswerer } from './request-answerer.js';
import { ServiceTraffic } from './service-traffic.js';

/** So many replicas are tried for one stream. None of the earlier ones has seen anything of it. */
const MOST_TRIES = 3;
/** More than nginx takes from clients, and from replicas. */
const REQUEST_HEADER_BYTES = 128 * 1024;
const ANSWER_HEADER_BYTES = 32 * 1024;
/** Streams to one replica: sshd holds a file for each. */
const MOST_STREAMS = 4_096;
/** Servers close connections that nobody uses after two seconds or later: one that is about to be closed shall get no request. */
const IDLE_MS = 1_500;

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

interface Known {
  readonly id: string;
  readonly way: ReplicaWay;
  readonly target: ReplicaTarget;
}

/** A service as nginx finds it, at a socket. Each request goes to the replica with the fewest of them; while there is none it waits. */
export class LiveService {
  private readonly server: Server;
  private readonly traffic: ServiceTraffic;
  private room: WaitingRoom;
  /** By what tells them apart. */
  private known = new Map<string, Known>();
  private readonly own: ReplicaSet;
  /** Where another program of this gateway has taken over: requests that come here go there. */
  private successor: ReplicaSet | null = null;
  /** By the path of their tunnel: those that nobody is sent to any more, until what goes through it has ended. */
  private leaving = new Map<string, Known>();
  private isClosed = false;

  constructor(
    public service: GatewayService,
    readonly socketPath: string,
    private readonly tools: LiveServiceTools,
    former: readonly StatsSecond[] = [],
  ) {
    this.traffic = new ServiceTraffic(tools.now, former);
    this.room = this.newRoom();
    this.own = this.newReplicas();
    const answerer = new RequestAnswerer(this, tools.now);
    // nginx closes connections, and has its own patience with clients.
    const patience = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 };
    this.server = createServer({ ...patience, maxHeaderSize: REQUEST_HEADER_BYTES }, (request, response) => {
      void answerer.answer(request, response);
    });
    this.server.on('upgrade', (request, socket: Duplex, head: Buffer) => void answerer.upgrade(request, socket, head));
    this.update(service);
  }

  /** Whom requests go to. */
  get replicas(): ReplicaSet {
    return this.successor ?? this.own;
  }

  get isHandedOver(): boolean {
    return this.successor !== null;
  }

  async listen(owner: SocketOwner): Promise<void> {
    await listenAt(this.server, this.socketPath, owner, process.pid);
  }

  /** Replicas that stay keep what is under way; the others get no more, and what they do ends. */
  update(service: GatewayService): void {
    const { hold } = this.service;
    this.service = service;
    const before = this.known;
    this.known = new Map(
      service.replicas.map((wanted) => {
        const key = this.tools.identity(wanted);
        return [key, before.get(key) ?? this.add(key, wanted)];
      }),
    );
    this.keepLeaving(before);
    this.own.update([...this.known.values()].map(({ target }) => target));
    if (hold.places !== service.hold.places || hold.seconds !== service.hold.seconds) {
      const formerRoom = this.room;
      this.room = this.newRoom();
      formerRoom.open();
    } else {
      this.openRoom();
    }
  }

  /** Resolves when there is somebody to ask. @throws {NotReadyError} there is nobody in time; the signal's reason when whoever waits has gone */
  async whenReady(gone: AbortSignal, since: number): Promise<void> {
    const { now } = this.tools;
    while (this.replicas.isEmpty) {
      if (this.isClosed || now() >= since + this.service.hold.seconds * 1000)
        throw new NotReadyError('no replica became ready in time');
      const isFirst = this.room.size === 0;
      const waiting = this.room.wait(gone);
      if (isFirst && this.room.size > 0) this.tools.held();
      await waiting;
    }
  }

  /** A request has ended. @param group null: of no replica. @param status null: it had no answer */
  count(group: string | null, ms: number, status: number | null): void {
    this.traffic.count(group ?? this.service.replicas[0]?.group ?? '0', ms, status);
  }

  /** A stream for one request; it counts until it is closed. @throws {NotReadyError} {NoReplicaAnswersError} */
  async openStream(gone: AbortSignal): Promise<Duplex> {
    const { now } = this.tools;
    const startedAt = now();
    const tried = new Set<string>();
    for (;;) {
      if (tried.size === 0) await this.whenReady(gone, startedAt);
      const replica = tried.size < MOST_TRIES ? this.replicas.pick(tried) : null;
      if (replica === null) {
        if (tried.size === 0) continue;
        throw new NoReplicaAnswersError('no replica of the service can be reached');
      }
      tried.add(replica.id);
      // Counted before it is open: many come at once.
      replica.begin();
      try {
        const stream = await replica.target.connect();
        let status: number | null = null;
        stream.once('data', (chunk: Buffer) => {
          status = Number(chunk.toString('latin1', 9, 12)) || null;
          replica.answered();
        });
        // Whoever reads it learns of it; reading begins with who asked for it.
        stream.on('error', () => undefined).pause();
        stream.once('close', () => {
          replica.end();
          this.count(replica.group, now() - startedAt, status);
        });
        return stream;
      } catch (error) {
        replica.end();
        replica.failed(now(), error instanceof Error ? error.message : String(error));
        if (gone.aborted) throw gone.reason;
      }
    }
  }

  /** What became of a request that went past this program. */
  countTunnelled(tunnel: string, ms: number, status: number | null): void {
    const all = [...this.known.values(), ...this.leaving.values()];
    const known = all.find(({ way }) => way.tunnel?.name === tunnel);
    this.count(known?.target.group ?? null, ms, status);
  }

  /** @param connections through tunnels, by the path at which those are bound */
  report(connections: ReadonlyMap<string, number>): TrafficReport {
    const inFlight: Record<string, number> = {};
    for (const { id, way } of [...this.known.values(), ...this.leaving.values()]) {
      const count = connections.get(way.tunnel?.boundPath ?? '') ?? 0;
      if (count > 0) inFlight[id] = (inFlight[id] ?? 0) + count;
    }
    for (const path of this.leaving.keys()) if (!connections.has(path)) this.leaving.delete(path);
    for (const [key, count] of Object.entries(this.own.inFlight())) {
      const id = jobOf(key);
      inFlight[id] = (inFlight[id] ?? 0) + count;
    }
    return { groups: this.traffic.windows(), inFlight, held: this.room.size };
  }

  secondsBetween(from: number, to: number): StatsSecond[] {
    return this.traffic.between(from, to);
  }

  replicaStatus(): ReplicaStatus[] {
    return [...this.known.values()].map(({ id, way, target }) => {
      const met = this.own.problemOf(target.id) ?? way.tunnel?.refusal ?? null;
      const text = way.isReady ? met : way.problem;
      return { id, isReady: way.isReady, problem: text === null ? null : { kind: 'tunnel', text } };
    });
  }

  /** For nginx. */
  laneReplicas(): LaneReplica[] {
    return [...this.known.values()].map(({ way: { isReady, tunnel } }) => ({
      isReady,
      tunnel:
        tunnel === null ? null : { path: tunnel.path, stands: tunnel.stands, forMs: this.tools.now() - tunnel.since },
    }));
  }

  /** The service is no more: who waits is told so, and what is under way ends by itself. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.server.close();
    await rm(this.socketPath, { force: true });
    this.leaveReplicas();
  }

  /**
   * Another program listens at the socket's path now. Resolves when nginx has closed its last connection to this one: to close one that is quiet would
   * break off a request that comes at the same moment.
   */
  async handOver(): Promise<void> {
    this.successor = this.newReplicas(true);
    const connect = () => connectTo(this.socketPath);
    this.successor.update([{ id: 'successor', group: '', connect }]);
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(this.server, () => resolve());
    });
    this.leaveReplicas();
    await closed;
    this.successor.close();
  }

  private keepLeaving(before: ReadonlyMap<string, Known>): void {
    for (const [key, known] of before) {
      const { tunnel } = known.way;
      if (!this.known.has(key) && tunnel !== null) this.leaving.set(tunnel.boundPath, known);
    }
  }

  private leaveReplicas(): void {
    this.known = new Map();
    this.own.close();
    this.room.open();
  }

  private newReplicas(closeAfterAnswer = false): ReplicaSet {
    const { now, random, changed } = this.tools;
    const answerMs = this.service.answerSeconds * 1000;
    const limits = { connections: MOST_STREAMS, answerMs, idleMs: IDLE_MS, headerBytes: ANSWER_HEADER_BYTES };
    return new ReplicaSet({ limits: { ...limits, closeAfterAnswer }, now, random, onProblem: changed });
  }

  private newRoom(): WaitingRoom {
    const { places, seconds } = this.service.hold;
    return new WaitingRoom({ places, longestMs: seconds * 1000, after: this.tools.after });
  }

  private openRoom(): void {
    if (!this.own.isEmpty) this.room.open();
  }

  private add(key: string, wanted: GatewayReplica): Known {
    const { way, release } = this.tools.way(wanted);
    const stop = way.onChange(() => {
      this.tools.changed();
      this.openRoom();
    });
    const target: ReplicaTarget = {
      id: `${wanted.id} ${key}`,
      group: wanted.group,
      connect: () => way.open(),
      isReady: () => way.isReady,
      release: () => {
        stop();
        release();
      },
    };
    return { id: wanted.id, way, target };
  }
}

/** Of the target's id. */
function jobOf(targetId: string): string {
  return targetId.split(' ', 1)[0] ?? targetId;
}

function connectTo(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path }, () => resolve(socket));
    socket.once('error', reject);
  });
}
