import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { Pool } from 'undici';
import { afterFailure, HEALTHY, type ReplicaHealth } from './balance/replica-health.js';

/** Where a replica of a service is reached. */
export interface ReplicaTarget {
  readonly id: string;
  /** Of the service; replicas of a group are scaled together. */
  readonly group: string;
  /** A new stream to the replica's port. */
  readonly connect: () => Promise<Duplex>;
  /** Whether there is a way to it at the moment; absent: always. */
  readonly isReady?: () => boolean;
  /** Called once, when it is asked no more and what was under way has ended. */
  readonly release?: () => void;
}

/** The replica's port could not be reached: it has seen nothing of the request. */
export class ReplicaUnreachableError extends Error {
  override readonly name = 'ReplicaUnreachableError';
}

export interface ReplicaLimits {
  /** Streams to one replica; further requests wait for one. */
  readonly connections: number;
  /** Until an answer begins. */
  readonly answerMs: number;
  /** Streams that are counted by who opens them end with their request. */
  readonly closeAfterAnswer?: boolean;
  /** How long a stream that nobody uses is kept. */
  readonly idleMs?: number;
  /** Of an answer. */
  readonly headerBytes?: number;
}

const IDLE_MS = 15_000;
const HEADER_BYTES = 16 * 1024;

/** One replica, its open connections, and what requests have shown of it. */
export class Replica {
  readonly id: string;
  readonly group: string;
  health: ReplicaHealth = HEALTHY;
  inFlight = 0;
  /** What the last request met; null: an answer. */
  problem: string | null = null;
  private opened: Promise<Pool> | undefined;
  private isLeaving = false;
  private isReleased = false;

  constructor(
    readonly target: ReplicaTarget,
    private readonly limits: ReplicaLimits,
    private readonly onProblem: () => void = () => undefined,
  ) {
    this.id = target.id;
    this.group = target.group;
  }

  get isReady(): boolean {
    return this.target.isReady?.() ?? true;
  }

  begin(): void {
    this.inFlight += 1;
  }

  end(): void {
    this.inFlight -= 1;
    this.releaseWhenDone();
  }

  /** Opened by the first request, for whom undici is loaded: a hundred files that the start of a server does not wait for. */
  get pool(): Promise<Pool> {
    return (this.opened ??= this.open());
  }

  private async open(): Promise<Pool> {
    const { target, limits } = this;
    const undici = await import('undici');
    return new undici.Pool('http://replica', {
      connections: limits.connections,
      pipelining: limits.closeAfterAnswer === true ? 0 : 1,
      headersTimeout: limits.answerMs,
      // A stream may be silent for long; when its replica or its client goes it ends.
      bodyTimeout: 0,
      keepAliveTimeout: limits.idleMs ?? IDLE_MS,
      maxHeaderSize: limits.headerBytes ?? HEADER_BYTES,
      connect: (_options, callback) => {
        target.connect().then(
          // undici uses what streams have; `setNoDelay` and the like are optional to it.
          (stream) => callback(null, stream as Socket),
          (error: unknown) => callback(unreachable(error), null),
        );
      },
    });
  }

  failed(now: number, problem: string): void {
    this.health = afterFailure(this.health, now);
    this.met(problem);
  }

  answered(): void {
    if (this.health.failures > 0) this.health = HEALTHY;
    this.met(null);
  }

  /** Lets what is under way end. */
  leave(): void {
    this.isLeaving = true;
    void this.opened?.then((pool) => pool.close()).catch(() => undefined);
    this.releaseWhenDone();
  }

  private met(problem: string | null): void {
    if (this.problem === problem) return;
    this.problem = problem;
    this.onProblem();
  }

  private releaseWhenDone(): void {
    if (!this.isLeaving || this.inFlight > 0 || this.isReleased) return;
    this.isReleased = true;
    this.target.release?.();
  }
}

function unreachable(error: unknown): ReplicaUnreachableError {
  return new ReplicaUnreachableError(error instanceof Error ? error.message : String(error), { cause: error });
}
