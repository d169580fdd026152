import type { Duplex } from 'node:stream';
import type { GatewayReplica, ReplicaStatus } from '@dstack/gateway-protocol';
import { afterFailure, HEALTHY, type ReplicaHealth } from '@dstack/proxy';
import type { SshHost } from '../replicas/ssh-host.js';

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
    private readonly host: SshHost,
    private readonly release: () => void,
  ) {
    this.id = replica.id;
    this.group = replica.group;
    this.remote = replica.remote;
  }

  private readonly remote: GatewayReplica['remote'];

  get isReady(): boolean {
    return this.host.isReady;
  }

  /** @throws when the replica has seen nothing of the request */
  open(): Promise<Duplex> {
    return this.host.open(this.remote);
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

  /** It gets no more requests; its host is kept until the last one ended. */
  leave(): void {
    this.isLeaving = true;
    this.releaseWhenDone();
  }

  status(): ReplicaStatus {
    const text = this.host.isReady ? this.problem : this.host.problem;
    return { id: this.id, isReady: this.host.isReady, problem: text === null ? null : { kind: 'tunnel', text } };
  }

  private releaseWhenDone(): void {
    if (!this.isLeaving || this.inFlight > 0 || this.isReleased) return;
    this.isReleased = true;
    this.release();
  }
}
