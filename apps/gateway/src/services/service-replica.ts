import type { Duplex } from 'node:stream';
import type { GatewayReplica, ReplicaStatus } from '@dstack/gateway-protocol';
import { afterFailure, HEALTHY, type ReplicaHealth } from '@dstack/proxy';
import type { ReplicaWay } from '../replicas/replica-way.js';

/** One replica as its requests find it. */
export class ServiceReplica {
  readonly id: string;
  readonly group: string;
  inFlight = 0;
  health: ReplicaHealth = HEALTHY;
  private problem: string | null = null;
  private isReleased = false;
  private isLeaving = false;

  constructor(
    replica: GatewayReplica,
    private readonly way: ReplicaWay,
    private readonly release: () => void,
  ) {
    this.id = replica.id;
    this.group = replica.group;
  }

  get isReady(): boolean {
    return this.way.isReady;
  }

  /** @throws when the replica has seen nothing of the request */
  open(): Promise<Duplex> {
    return this.way.open();
  }

  failed(message: string, now: number): void {
    this.health = afterFailure(this.health, now);
    this.problem = message;
  }

  answered(): void {
    this.health = HEALTHY;
    this.problem = null;
  }

  begin(): void {
    this.inFlight += 1;
  }

  end(): void {
    this.inFlight -= 1;
    this.releaseWhenDone();
  }

  /** It gets no more requests; the way to it is kept until the last one ended. */
  leave(): void {
    this.isLeaving = true;
    this.releaseWhenDone();
  }

  status(): ReplicaStatus {
    const text = this.way.isReady ? this.problem : this.way.problem;
    return { id: this.id, isReady: this.way.isReady, problem: text === null ? null : { kind: 'tunnel', text } };
  }

  private releaseWhenDone(): void {
    if (!this.isLeaving || this.inFlight > 0 || this.isReleased) return;
    this.isReleased = true;
    this.release();
  }
}
