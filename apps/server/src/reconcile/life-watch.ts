import { SERVER_BEAT_MS, type WatchedLife, watchLives } from '@dstack/core';
import type { Database } from '../persistence/database.js';
import type { Timer } from '../world/scheduler.js';
import type { World } from '../world/world.js';
import { forgetLife } from './forget-former-life.js';
import type { Notices } from './notices.js';
import { RECONCILED_TABLES } from './reconciled-table.js';

export interface LifeWatchOptions {
  readonly db: Database;
  readonly world: Pick<World, 'clock' | 'scheduler'>;
  readonly notices: Pick<Notices, 'notify' | 'notifyOfHosts'>;
  /** This server. */
  readonly holder: string;
  readonly onGone: (holder: string) => void;
}

/**
 * Says that this server lives, and hears whether the others of its database do: the work of one that was killed goes on when it has been
 * silent for a few seconds, not when the last of its leases runs out.
 */
export class LifeWatch {
  private lives: ReadonlyMap<string, WatchedLife> = new Map();
  private timer: Timer | null = null;
  private looking: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(private readonly options: LifeWatchOptions) {}

  start(): void {
    this.looking = this.look().finally(() => this.plan());
  }

  /** Says goodbye: whoever stops in order has given everything back. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.timer?.cancel();
    await this.looking;
    const { db, holder } = this.options;
    await db.write((tx) => tx.execute('DELETE FROM server_lives WHERE holder = ?', [holder])).catch(() => 0);
  }

  /** One beat, and one look. */
  async look(): Promise<void> {
    const { db, world, holder } = this.options;
    try {
      const rows = await db.write(async (tx) => {
        await tx.execute(
          'INSERT INTO server_lives (holder, beats) VALUES (?, 1) ON CONFLICT (holder) DO UPDATE SET beats = server_lives.beats + 1',
          [holder],
        );
        return tx.query<{ holder: string; beats: number }>('SELECT holder, beats FROM server_lives WHERE holder <> ?', [
          holder,
        ]);
      });
      const seen = new Map(rows.map((row) => [row.holder, Number(row.beats)]));
      const { lives, quiet } = watchLives(this.lives, seen, world.clock.now());
      this.lives = lives;
      for (const gone of quiet) await this.forget(gone, seen.get(gone) ?? 0);
    } catch {
      // Whoever cannot ask knows nothing of anybody. That the database is away is told by those who need it.
      this.lives = new Map();
    }
  }

  private plan(): void {
    if (this.isStopped) return;
    this.timer = this.options.world.scheduler.after(SERVER_BEAT_MS, () => this.start());
  }

  /** By one of those that noticed; not at all when a beat has come meanwhile. */
  private async forget(gone: string, beats: number): Promise<void> {
    const { db, notices, onGone } = this.options;
    const hosts = await db.write(async (tx) => {
      const isOurs = await tx.execute('DELETE FROM server_lives WHERE holder = ? AND beats = ?', [gone, beats]);
      return isOurs === 1 ? forgetLife(tx, gone) : null;
    });
    if (hosts === null) return;
    onGone(gone);
    for (const table of RECONCILED_TABLES) notices.notify(table);
    notices.notify('placement');
    notices.notify('gateway-links');
    notices.notifyOfHosts('connections', hosts);
  }
}
