import { chooseReplica } from './balance/choose-replica.js';
import { Replica, type ReplicaLimits, type ReplicaTarget } from './replica.js';

export interface ReplicaSetOptions {
  readonly limits: ReplicaLimits;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** What a replica's last request met is another thing than before. */
  readonly onProblem?: () => void;
}

/** The replicas of a service that may be asked now. */
export class ReplicaSet {
  private replicas: readonly Replica[] = [];
  /** Asked no more, and not done yet. */
  private readonly leaving = new Set<Replica>();

  constructor(private readonly options: ReplicaSetOptions) {}

  get isEmpty(): boolean {
    return !this.replicas.some(({ isReady }) => isReady);
  }

  /** Those that stay keep their connections; the others are asked no more, and what they are doing ends. */
  update(targets: readonly ReplicaTarget[]): void {
    const known = new Map(this.replicas.map((replica) => [replica.id, replica]));
    this.replicas = targets.map((target) => known.get(target.id) ?? this.newReplica(target));
    const kept = new Set(targets.map(({ id }) => id));
    for (const replica of known.values()) if (!kept.has(replica.id)) this.leave(replica);
  }

  /** Requests under way by replica, those of replicas that are asked no more among them. */
  inFlight(): Record<string, number> {
    for (const replica of [...this.leaving]) if (replica.inFlight === 0) this.leaving.delete(replica);
    const busy = [...this.replicas, ...this.leaving].filter(({ inFlight }) => inFlight > 0);
    return Object.fromEntries(busy.map(({ id, inFlight }) => [id, inFlight]));
  }

  /** Of a replica, by its id; null: none. */
  problemOf(id: string): string | null {
    return this.replicas.find((replica) => replica.id === id)?.problem ?? null;
  }

  pick(tried: ReadonlySet<string>): Replica | null {
    const ready = this.replicas.filter(({ isReady }) => isReady);
    return chooseReplica(ready, tried, this.options.now(), this.options.random);
  }

  close(): void {
    this.update([]);
  }

  private newReplica(target: ReplicaTarget): Replica {
    return new Replica(target, this.options.limits, this.options.onProblem);
  }

  private leave(replica: Replica): void {
    if (replica.inFlight > 0) this.leaving.add(replica);
    replica.leave();
  }
}
