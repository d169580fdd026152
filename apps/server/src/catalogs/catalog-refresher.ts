import { Catalog, decodeCatalog, encodeCatalogBeside } from '@dstack/catalog';
import { dueClouds } from '@dstack/core';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackendRegistry } from '../backends/backend-registry.js';
import { EventRecorder } from '../events/event-recorder.js';
import { Database } from '../persistence/database.js';
import type { WriteTx } from '../persistence/transaction.js';
import { releaseLease, takeLease } from '../placement/lease.js';
import { projectTarget } from '../projects/project-target.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import { CatalogStore, type ReadCatalog } from './catalog-store.js';
import { type ConfiguredCloud, configuredClouds, regionsOf } from './configured-clouds.js';
import { PriceListLoader } from './price-list-loader.js';
import { StoredCatalogs } from './stored-catalogs.js';

const LEASE = 'catalogs';
/** The list of AWS takes minutes; whoever died over it is followed later. */
const LEASE_MS = 2 * 3_600_000;
const FIRST_CHECK_MS = 600_000;
const CHECK_MS = 3_600_000;
const LONGEST_ERROR = 1_000;

/** Reads the price lists of the clouds that projects use, from time to time; one server of several does. */
@Injectable()
export class CatalogRefresher implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Catalogs');
  private readonly stop = new AbortController();
  private timer: Timer | null = null;
  private current: Promise<void> = Promise.resolve();

  constructor(
    @Inject(Database) private readonly db: Database,
    @Inject(CatalogStore) private readonly store: CatalogStore,
    @Inject(StoredCatalogs) private readonly catalogs: StoredCatalogs,
    @Inject(PriceListLoader) private readonly lists: PriceListLoader,
    @Inject(BackendRegistry) private readonly registry: BackendRegistry,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
  ) {}

  onApplicationBootstrap(): void {
    const { refreshMs } = this.settings.catalogs;
    if (this.settings.backgroundProcessing && refreshMs !== null) this.rest(Math.min(FIRST_CHECK_MS, refreshMs));
  }

  async onApplicationShutdown(): Promise<void> {
    this.stop.abort(new Error('the server stops'));
    this.timer?.cancel();
    await this.current;
  }

  /** An administrator wants these lists read now. The answer does not wait for it. */
  async want(clouds: readonly string[], isForced: boolean): Promise<void> {
    await this.db.write(async (tx) => {
      for (const cloud of clouds) await this.store.want(tx, cloud, isForced ? 'forced' : 'due');
    });
    this.current = this.current.then(() => this.round()).catch((error: unknown) => this.told(error));
  }

  /** Those whose lists can be read. */
  async clouds(): Promise<string[]> {
    return [...(await this.readable()).keys()];
  }

  async round(): Promise<void> {
    if (this.stop.signal.aborted) return;
    const { refreshMs } = this.settings.catalogs;
    const clouds = await this.readable();
    const due = dueClouds([...clouds.keys()], await this.store.states(), this.world.clock.now(), refreshMs);
    if (due.length === 0 || (await takeLease(this.db, LEASE, this.me.holder, LEASE_MS)) === null) return;
    try {
      for (const cloud of due) {
        await this.refresh(cloud, clouds.get(cloud) ?? []);
        if (this.stop.signal.aborted) return;
      }
    } finally {
      await releaseLease(this.db, LEASE, this.me.holder);
    }
  }

  /** Those that projects use and whose lists can be read, with their configurations. */
  private async readable(): Promise<ReadonlyMap<string, readonly ConfiguredCloud[]>> {
    const { url, googleApiKey } = this.settings.catalogs;
    const isReadable = (cloud: string): boolean => {
      if (url !== undefined) return true;
      // What goes by another address is asked at no other. Lambda says what it sells when it is asked for offers.
      if (this.settings.backendEndpoints[cloud] !== undefined || cloud === 'lambda') return false;
      return cloud !== 'gcp' || googleApiKey !== undefined;
    };
    const found = await this.db.read(configuredClouds);
    return new Map([...found].filter(([cloud]) => isReadable(cloud)));
  }

  private async refresh(cloud: string, configured: readonly ConfiguredCloud[]): Promise<void> {
    const before = (await this.store.states()).find((state) => state.cloud === cloud);
    const hadFailed = (before?.failures ?? 0) > 0;
    try {
      const { url } = this.settings.catalogs;
      const found =
        url === undefined
          ? await this.read(cloud, configured, before?.wanted === 'forced')
          : await this.fetched(url, cloud, before?.etag ?? null);
      await this.db.write(async (tx) => {
        await this.store.succeeded(tx, cloud, found);
        if (hadFailed) await this.tell(tx, cloud, `Prices of ${cloud} were read again`);
      });
      await this.catalogs.load();
    } catch (error) {
      if (this.stop.signal.aborted) return;
      const message = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_ERROR);
      this.log.warn(`Prices of ${cloud} were not read, those known so far are used: ${message}`);
      await this.db.write(async (tx) => {
        await this.store.failed(tx, cloud, message);
        if (!hadFailed) await this.tell(tx, cloud, `Prices of ${cloud} could not be read: ${message}`);
      });
      await this.catalogs.load();
    }
  }

  /** The cloud's own list, merged into what is known. */
  private async read(
    cloud: string,
    configured: readonly ConfiguredCloud[],
    isForced: boolean,
  ): Promise<ReadCatalog | null> {
    const { defaultRegions = [] } = await this.registry.definition(cloud);
    const regions = regionsOf(configured, defaultRegions);
    const lists = await this.lists.load();
    const known = this.catalogs.of(cloud);
    const refreshed = await lists.refresh(cloud, known, regions, this.stop.signal);
    const { columns, summary, objections, failed, remarks } = refreshed;
    if (objections.length > 0 && !isForced) {
      throw new Error(`what was read is hardly true: ${objections.join('; ')}. An administrator may have it taken`);
    }
    const notes = [...failed.map(({ place, error }) => `${place} keeps its prices: ${error}`), ...remarks];
    this.log.log(`Prices of ${cloud}: ${summary}`);
    for (const note of notes) this.log.debug(`Prices of ${cloud}: ${note}`);
    return { file: await encodeCatalogBeside(columns), notes, etag: null };
  }

  /** A catalog that is published whole: taken as it is, if it is one. */
  private async fetched(url: string, cloud: string, etag: string | null): Promise<ReadCatalog | null> {
    const lists = await this.lists.load();
    const published = await lists.published(url, cloud, etag, this.stop.signal);
    if (published === null) return null;
    const { size } = new Catalog(decodeCatalog(published.file));
    this.log.log(`Prices of ${cloud}: ${size}, fetched from ${url}`);
    return { ...published, notes: [] };
  }

  /** To every project that uses the cloud. */
  private async tell(tx: WriteTx, cloud: string, message: string): Promise<void> {
    const projects = await tx.query<{ id: string; name: string }>(
      `SELECT p.id, p.name FROM projects p JOIN backends b ON b.project_id = p.id WHERE b.type = ? AND p.deleted = ?`,
      [cloud, false],
    );
    for (const { id, name } of projects) {
      await this.events.record(tx, { message, actorId: null, targets: [projectTarget(id, name)] });
    }
  }

  private rest(delayMs: number): void {
    this.timer = this.world.scheduler.after(delayMs * (0.5 + this.world.random.next()), () => {
      this.current = this.current
        .then(() => this.round())
        .catch((error: unknown) => this.told(error))
        .finally(() => {
          if (!this.stop.signal.aborted) this.rest(Math.min(CHECK_MS, this.settings.catalogs.refreshMs ?? CHECK_MS));
        });
    });
  }

  private told(error: unknown): void {
    this.log.error('Price lists were not looked at; later again', String(error));
  }
}
