import { bundledCatalog, bundledClouds, Catalog, decodeCatalog } from '@dstack/catalog';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import type { CatalogState } from './catalog-state.js';
import { CatalogStore } from './catalog-store.js';
import { Catalogs } from './catalogs.js';

/** What another replica has read is known after so long. */
const RELOAD_MS = 3_600_000;
/** Tries that fail one after the other are a day or more: until then nobody is bothered. */
const FAILURES_TOLD = 3;

interface Stored {
  readonly readAt: number;
  /** Decoded when it is first asked for. */
  readonly file: Buffer;
}

/** The newest of those that were installed and those that a replica has read since. */
@Injectable()
export class StoredCatalogs extends Catalogs implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Catalogs');
  private readonly stored = new Map<string, Stored>();
  private readonly decoded = new Map<string, Catalog>();
  private states: readonly CatalogState[] = [];
  private timer: Timer | null = null;

  constructor(
    @Inject(CatalogStore) private readonly store: CatalogStore,
    @Inject(WORLD) private readonly world: World,
  ) {
    super();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.load();
    this.rest();
  }

  onApplicationShutdown(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  of(cloud: string): Catalog {
    const known = this.decoded.get(cloud);
    if (known !== undefined) return known;
    const catalog = this.newest(cloud);
    this.decoded.set(cloud, catalog);
    return catalog;
  }

  remarkOf(cloud: string): string | null {
    const state = this.states.find((each) => each.cloud === cloud);
    if (state?.error == null || state.failures < FAILURES_TOLD) return null;
    return `prices could not be read anew (${state.error}), those known so far are shown`;
  }

  /** For operators, one line each. */
  warnings(): string[] {
    return this.states.flatMap(({ cloud }) => {
      const remark = this.remarkOf(cloud);
      return remark === null ? [] : [`${cloud}: ${remark}`];
    });
  }

  stateOf(cloud: string): CatalogState | null {
    return this.states.find((each) => each.cloud === cloud) ?? null;
  }

  /** Takes what was stored since. */
  async load(): Promise<void> {
    this.states = await this.store.states();
    const inDatabase = new Set(this.states.map(({ cloud }) => cloud));
    for (const cloud of [...this.stored.keys()]) if (!inDatabase.has(cloud)) this.forget(cloud);
    for (const { cloud, readAt } of this.states) {
      if (readAt === null || this.stored.get(cloud)?.readAt === readAt) continue;
      const file = await this.store.file(cloud);
      if (file === null) continue;
      this.stored.set(cloud, { readAt, file });
      this.decoded.delete(cloud);
    }
  }

  private forget(cloud: string): void {
    this.stored.delete(cloud);
    this.decoded.delete(cloud);
  }

  private rest(): void {
    this.timer = this.world.scheduler.after(RELOAD_MS, () => {
      this.load()
        .catch((error: unknown) => this.log.warn(`Catalogs were not looked for in the database: ${String(error)}`))
        .finally(() => {
          if (this.timer !== null) this.rest();
        });
    });
  }

  private newest(cloud: string): Catalog {
    const stored = this.stored.get(cloud);
    const installed = bundledClouds().includes(cloud) ? bundledCatalog(cloud) : null;
    if (stored === undefined) return installed ?? bundledCatalog(cloud);
    try {
      const read = new Catalog(decodeCatalog(stored.file));
      // A newer release may bring newer prices than an older one has read.
      return installed !== null && newestDay(installed) > newestDay(read) ? installed : read;
    } catch (error) {
      this.log.warn(`The stored catalog of ${cloud} cannot be used, the installed one is: ${String(error)}`);
      return installed ?? bundledCatalog(cloud);
    }
  }
}

/** The latest exact date of a price, `2026-07-30`; empty: there is none. */
function newestDay({ sources }: Catalog): string {
  const days = sources.map(({ date }) => date).filter((date) => /^\d{4}-\d\d-\d\d$/.test(date));
  return days.sort().at(-1) ?? '';
}
