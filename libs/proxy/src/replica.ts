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
}

/** One replica, its open connections, and what requests have shown of it. */
export class Replica {
  readonly id: string;
  readonly group: string;
  health: ReplicaHealth = HEALTHY;
  inFlight = 0;
  private opened: Promise<Pool> | undefined;

  constructor(
    readonly target: ReplicaTarget,
    private readonly limits: ReplicaLimits,
  ) {
    this.id = target.id;
    this.group = target.group;
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
      keepAliveTimeout: 15_000,
      connect: (_options, callback) => {
        target.connect().then(
          // undici uses what streams have; `setNoDelay` and the like are optional to it.
          (stream) => callback(null, stream as Socket),
          (error: unknown) => callback(unreachable(error), null),
        );
      },
    });
  }

  failed(now: number): void {
    this.health = afterFailure(this.health, now);
  }

  answered(): void {
    if (this.health.failures > 0) this.health = HEALTHY;
  }

  /** Lets what is under way end. */
  async close(): Promise<void> {
    await (await this.opened)?.close();
  }
}

function unreachable(error: unknown): ReplicaUnreachableError {
  return new ReplicaUnreachableError(error instanceof Error ? error.message : String(error), { cause: error });
}
