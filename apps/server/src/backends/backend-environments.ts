import type { BackendEnvironment } from '@dstack/backend-base';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';

/** What the server gives to a backend that it opens or asks to check a configuration. */
@Injectable()
export class BackendEnvironments {
  constructor(
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
  ) {}

  of(type: string): BackendEnvironment {
    const { world } = this;
    const log = new Logger(`Backend ${type}`);
    const write = { debug: 'debug', info: 'log', warn: 'warn', error: 'error' } as const;
    return {
      now: () => world.clock.now(),
      random: () => world.random.next(),
      sleep: (ms, signal) => world.scheduler.sleep(ms, signal),
      log: (level, message, fields) => log[write[level]](fields === undefined ? message : { message, ...fields }),
      endpoint: this.settings.backendEndpoints[type] ?? null,
    };
  }
}
