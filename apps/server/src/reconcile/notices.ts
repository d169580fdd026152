import type { ReconciledTable } from './reconciled-table.js';

export type Topic = ReconciledTable | 'placement' | 'probes' | 'gateway-links';
/** What a replica's own connections are told of: hosts that may be connected to, hosts whose jobs have something to say. */
export type HostTopic = 'connections' | 'logs';
type Listener = () => void;
type HostListener = (instanceIds: readonly string[]) => void;
type RunListener = (runId: string) => void;
/** What goes to other replicas. */
export type RelayedNotice = { readonly topic: Topic } | { readonly replicasOf: string };

/** Where replicas do not hear of each other, each looks for itself this often. */
const DEAF_SWEEP_MS = 1_000;

/** Tells loops of this process that there may be something to do. Losing a notice costs latency, never correctness. */
export class Notices {
  private readonly listeners = new Map<Topic, Set<Listener>>();
  private readonly hostListeners = new Map<HostTopic, Set<HostListener>>();
  private readonly replicaListeners = new Set<RunListener>();
  private readonly relays = new Set<(notice: RelayedNotice) => void>();

  private hearsReplicas = true;

  /** Whether notices of other replicas arrive, as far as it is known. */
  hearReplicas(hears: boolean): void {
    this.hearsReplicas = hears;
  }

  get missesReplicas(): boolean {
    return !this.hearsReplicas;
  }

  /** How long to wait for a notice before looking for oneself. */
  sweepAfter(usualMs: number): number {
    return this.hearsReplicas ? usualMs : Math.min(usualMs, DEAF_SWEEP_MS);
  }

  listen(topic: Topic, listener: Listener): () => void {
    const listeners = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** From this process. Also goes to the other replicas, where there are any. */
  notify(topic: Topic): void {
    this.tell({ topic });
  }

  /** From elsewhere. */
  deliver(notice: RelayedNotice): void {
    if ('topic' in notice) for (const listener of [...(this.listeners.get(notice.topic) ?? [])]) listener();
    else for (const listener of [...this.replicaListeners]) listener(notice.replicasOf);
  }

  /** Told whenever other replicas of a service are ready to get its requests than before, or another specification is. */
  listenToReplicas(listener: RunListener): () => void {
    this.replicaListeners.add(listener);
    return () => void this.replicaListeners.delete(listener);
  }

  notifyOfReplicas(runId: string): void {
    this.tell({ replicasOf: runId });
  }

  listenToHosts(topic: HostTopic, listener: HostListener): () => void {
    const listeners = this.hostListeners.get(topic) ?? new Set();
    this.hostListeners.set(topic, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Names the hosts, so that one event does not make thousands of others look. Stays in this process: it holds their connections. */
  notifyOfHosts(topic: HostTopic, instanceIds: readonly string[]): void {
    for (const listener of [...(this.hostListeners.get(topic) ?? [])]) listener(instanceIds);
  }

  relayTo(relay: (notice: RelayedNotice) => void): () => void {
    this.relays.add(relay);
    return () => void this.relays.delete(relay);
  }

  private tell(notice: RelayedNotice): void {
    this.deliver(notice);
    for (const relay of this.relays) relay(notice);
  }
}
