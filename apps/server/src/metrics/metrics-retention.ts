import { Inject, Injectable, Logger } from '@nestjs/common';
import { InstanceHealth } from '../instances/instance-health.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import { MetricsStore } from './metrics-store.js';

const INTERVAL_MS = 5 * 60_000;

/** Deletes samples and health checks that are older than the settings keep them. */
@Injectable()
export class MetricsRetention {
  private readonly log = new Logger('Metrics');
  private timer: Timer | null = null;

  constructor(
    @Inject(MetricsStore) private readonly store: MetricsStore,
    @Inject(InstanceHealth) private readonly health: InstanceHealth,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
  ) {}

  start(): void {
    this.timer = this.world.scheduler.after(INTERVAL_MS, () => {
      this.deleteOld(this.world.clock.now())
        .catch((error: unknown) => this.log.warn(`Old metrics were not deleted: ${String(error)}`))
        .finally(() => this.start());
    });
  }

  private async deleteOld(now: number): Promise<void> {
    await this.store.deleteOld(now, {
      runningMs: this.settings.metricsRunningTtlSeconds * 1000,
      finishedMs: this.settings.metricsFinishedTtlSeconds * 1000,
    });
    await this.health.deleteOld(now - this.settings.instanceHealthTtlSeconds * 1000);
  }

  stop(): void {
    this.timer?.cancel();
  }
}
