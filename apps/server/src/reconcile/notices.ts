import type { ReconciledTable } from './reconciled-table.js';

export type Topic = ReconciledTable | 'placement' | 'connections' | 'logs';
type Listener = () => void;

/** Tells loops of this process that there may be something to do. Losing a notice costs latency, never correctness. */
export class Notices {
  private readonly listeners = new Map<Topic, Set<Listener>>();
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

  relayTo(relay: (topic: Topic) => void): () => void {
    this.relays.add(relay);
    return () => void this.relays.delete(relay);
  }
}
