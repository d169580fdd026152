import type { BackendEnvironment } from '@dstack/backend-base';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Catalogs } from '../catalogs/catalogs.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';

/** What the server gives to a backend that it opens or asks to check a configuration. */
@Injectable()
export class BackendEnvironments {
  constructor(
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
    @Inject(Catalogs) private readonly catalogs: Catalogs,
  ) {}

  /** What people should know of the backend's prices; null: nothing. */
  priceRemark(type: string): string | null {
    return this.catalogs.remarkOf(type);
  }

  of(type: string): BackendEnvironment {
    const { world, catalogs } = this;
    const log = new Logger(`Backend ${type}`);
    const write = { debug: 'debug', info: 'log', warn: 'warn', error: 'error' } as const;
    return {
      now: () => world.clock.now(),
      random: () => world.random.next(),
      sleep: (ms, signal) => world.scheduler.sleep(ms, signal),
      log: (level, message, fields) => log[write[level]](fields === undefined ? message : { message, ...fields }),
      catalog: (cloud) => catalogs.of(cloud),
      endpoint: this.settings.backendEndpoints[type] ?? null,
      machineImages: this.settings.machineImages,
    };
  }
}
