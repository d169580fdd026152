import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';
import type { PriceLists } from './price-lists.js';

/** Loads what reads price lists when one is due, and not when the server starts. */
@Injectable()
export class PriceListLoader {
  constructor(
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async load(): Promise<PriceLists> {
    const { PriceLists: Lists } = await import('./price-lists.js');
    return new Lists(this.settings, this.world);
  }
}
