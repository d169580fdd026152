import type { Database } from '../persistence/database.js';
import type { Timer } from '../world/scheduler.js';
import type { World } from '../world/world.js';
import { CONNECTION_LEASE_MS, renewConnections } from './connection-lease.js';

/** Hosts in one statement. */
const MOST_AT_ONCE = 500;

export interface HeldConnection {
  readonly instanceId: string;
  readonly epoch: number;
  /** Somebody else has taken it, or the database did not answer. */
  readonly onLost: (reason: unknown) => void;
}

/** Renews the leases of all connections of this server together: what thousands of hosts cost while nothing happens. */
export class ConnectionKeeper {
  private readonly held = new Set<HeldConnection>();
  private timer: Timer | null = null;

  constructor(
    private readonly db: Database,
    private readonly world: Pick<World, 'scheduler'>,
    private readonly holder: string,
  ) {}

  /** From now on, for a lease that was just taken. Returns how to end it. */
  keep(connection: HeldConnection): () => void {
    this.held.add(connection);
    this.plan();
    return () => void this.held.delete(connection);
  }

  /** A lease taken right after a round still has a third of its time left at the end of the next. */
  private plan(): void {
    this.timer ??= this.world.scheduler.after(CONNECTION_LEASE_MS / 3, () => {
      void this.renewAll().finally(() => {
        this.timer = null;
        if (this.held.size > 0) this.plan();
      });
    });
  }

  private async renewAll(): Promise<void> {
    const all = [...this.held];
    for (let from = 0; from < all.length; from += MOST_AT_ONCE) await this.renew(all.slice(from, from + MOST_AT_ONCE));
  }

  private async renew(connections: readonly HeldConnection[]): Promise<void> {
    const ids = connections.map(({ instanceId }) => instanceId);
    try {
      const epochs = await renewConnections(this.db, ids, this.holder);
      for (const { instanceId, epoch, onLost } of connections)
        if (epochs.get(instanceId) !== epoch) onLost(new Error('the connection lease was lost'));
    } catch (error) {
      for (const { onLost } of connections) onLost(error);
    }
  }
}
