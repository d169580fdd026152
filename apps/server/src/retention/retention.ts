import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Uploads } from '../files/uploads.js';
import { LOG_STORE, type LogStore } from '../logs/log-store.js';
import { Database } from '../persistence/database.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import { deleteEndedRows } from './ended-rows.js';
import { deleteOldLogs } from './old-logs.js';
import { deleteOldRuns } from './old-runs.js';
import { deleteOldUploads } from './old-uploads.js';

const INTERVAL_MS = 10 * 60_000;

/** How many of each a pass deleted. */
export interface Tidied {
  readonly logs: number;
  readonly runs: number;
  readonly uploads: number;
  /** Machines, fleets, volumes, gateways. */
  readonly ended: number;
}

/** Deletes what is left of finished runs once its time is over (without a setting all of it stays), and of what they ran on. */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Retention');
  private timer: Timer | undefined;
  private working: Promise<void> = Promise.resolve();

  constructor(
    @Inject(Database) private readonly db: Database,
    @Inject(LOG_STORE) private readonly logs: LogStore,
    @Inject(Uploads) private readonly uploads: Pick<Uploads, 'delete'>,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
  ) {}

  onApplicationBootstrap(): void {
    const { logsTtlSeconds, runsTtlSeconds, uploadsTtlSeconds, endedTtlSeconds, backgroundProcessing } = this.settings;
    const isAnyLimited = [logsTtlSeconds, runsTtlSeconds, uploadsTtlSeconds, endedTtlSeconds].some((ttl) => ttl > 0);
    if (backgroundProcessing && isAnyLimited) this.schedule();
  }

  async onApplicationShutdown(): Promise<void> {
    this.timer?.cancel();
    this.timer = undefined;
    await this.working;
  }

  /** One pass. Several replicas may do it at once: what is gone is gone. */
  async tidy(): Promise<Tidied> {
    const { logsTtlSeconds, runsTtlSeconds, uploadsTtlSeconds, endedTtlSeconds } = this.settings;
    const now = this.world.clock.now();
    const tools = { db: this.db, logs: this.logs, uploads: this.uploads, now };
    const before = (ttlSeconds: number): number | null => (ttlSeconds > 0 ? now - ttlSeconds * 1_000 : null);
    return {
      logs: await deleteOldLogs(tools, before(logsTtlSeconds)),
      runs: await deleteOldRuns(tools, before(runsTtlSeconds)),
      uploads: await deleteOldUploads(tools, before(uploadsTtlSeconds)),
      // After the runs: those keep what they ran on.
      ended: await deleteEndedRows(tools, before(endedTtlSeconds)),
    };
  }

  private schedule(): void {
    this.timer = this.world.scheduler.after(INTERVAL_MS, () => {
      this.working = this.pass();
    });
  }

  private async pass(): Promise<void> {
    try {
      const { logs, runs, uploads, ended } = await this.tidy();
      if (logs + runs + uploads + ended > 0)
        this.log.log(
          `Deleted: logs of ${logs} jobs, ${runs} runs, ${uploads} uploads, ${ended} ended machines and the like`,
        );
    } catch (error) {
      this.log.error('Deleting what is old failed; the next pass tries again', error);
    }
    if (this.timer !== undefined) this.schedule();
  }
}
