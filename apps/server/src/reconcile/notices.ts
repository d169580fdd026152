import type { ReconciledTable } from './reconciled-table.js';

export type Topic = ReconciledTable | 'placement';
/** What a replica's own connections are told of: hosts that may be connected to, hosts whose jobs have something to say. */
export type HostTopic = 'connections' | 'logs';
type Listener = () => void;
type HostListener = (instanceIds: readonly string[]) => void;

/** Tells loops of this process that there may be something to do. Losing a notice costs latency, never correctness. */
export class Notices {
  private readonly listeners = new Map<Topic, Set<Listener>>();
  private readonly hostListeners = new Map<HostTopic, Set<HostListener>>();
  private readonly relays = new Set<(topic: Topic) => void>();

  listen(topic: Topic, listener: Listener): () => void {
    const listeners = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** From this process. Also goes to the other replicas, where there are any. */
  notify(topic: Topic): void {
    this.deliver(topic);
    for (const relay of this.relays) relay(topic);
  }

  /** From elsewhere. */
  deliver(topic: Topic): void {
    for (const listener of [...(this.listeners.get(topic) ?? [])]) listener();
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

  relayTo(relay: (topic: Topic) => void): () => void {
    this.relays.add(relay);
    return () => void this.relays.delete(relay);
  }
}
