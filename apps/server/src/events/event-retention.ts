import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';
import type { Timer } from '../world/scheduler.js';

const INTERVAL_MS = 7 * 60_000;
/** Small enough that other writers hardly wait. */
const BATCH = 1_000;

/** Forgets events past their time. */
@Injectable()
export class EventRetention implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Events');
  private timer: Timer | undefined;
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
  ) {}

  onApplicationBootstrap(): void {
    if (this.settings.backgroundProcessing) this.schedule();
  }

  async onApplicationShutdown(): Promise<void> {
    this.timer?.cancel();
    this.timer = undefined;
    await this.working;
  }

  async deleteExpired(): Promise<number> {
    const before = this.world.clock.now() - Math.max(0, this.settings.eventsTtlSeconds) * 1_000;
    let total = 0;
    for (;;) {
      const deleted = await this.db.write((tx) =>
        tx.execute('DELETE FROM events WHERE id IN (SELECT id FROM events WHERE recorded_at < ? LIMIT ?)', [
          before,
          BATCH,
        ]),
      );
      total += deleted;
      if (deleted < BATCH) return total;
    }
  }

  private schedule(): void {
    this.timer = this.world.scheduler.after(INTERVAL_MS, () => {
      this.working = this.pass();
    });
  }

  private async pass(): Promise<void> {
    try {
      await this.deleteExpired();
    } catch (error) {
      this.log.error('Deleting old events failed; the next pass tries again', error);
    }
    if (this.timer !== undefined) this.schedule();
  }
}
