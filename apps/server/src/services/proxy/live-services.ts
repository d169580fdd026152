import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { JobPorts } from '../../agents/job-ports.js';
import { Database } from '../../persistence/database.js';
import { Notices } from '../../reconcile/notices.js';
import { ServerIdentity } from '../../reconcile/server-identity.js';
import { SETTINGS, type ServerSettings } from '../../settings/settings.js';
import { WORLD, type World } from '../../world/world.js';
import type { Timer } from '../../world/scheduler.js';
import { ServiceTrafficStore } from '../service-traffic.js';
import { findService } from './find-service.js';
import { LiveService } from './live-service.js';

/** A lost notice costs so long. */
const LOOKED_UP_MS = 2_000;
const REPORTED_MS = 2_000;
/** A service that nobody has asked for so long is forgotten here. */
const FORGOTTEN_MS = 600_000;

interface Entry {
  service: LiveService | null;
  lookedUpAt: number;
  askedAt: number;
  looking: Promise<void> | null;
}

/** The services that requests come for, with their replicas kept up to date; what is seen of them is told to all. */
@Injectable()
export class LiveServices implements OnApplicationShutdown {
  private readonly log = new Logger('Services');
  private readonly entries = new Map<string, Entry>();
  private readonly stopListening: () => void;
  private reporting: Timer | null = null;

  constructor(
    private readonly db: Database,
    @Inject(JobPorts) private readonly ports: JobPorts,
    @Inject(ServiceTrafficStore) private readonly traffic: ServiceTrafficStore,
    @Inject(ServerIdentity) private readonly identity: ServerIdentity,
    @Inject(Notices) notices: Notices,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'serviceAnswerMs'>,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.stopListening = notices.listenToReplicas((runId) => this.refreshRun(runId));
  }

  /** Null: there is none of the name that this server answers for. */
  async find(projectName: string, runName: string): Promise<LiveService | null> {
    const key = `${projectName}/${runName}`;
    const now = this.world.clock.now();
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = { service: null, lookedUpAt: 0, askedAt: now, looking: null };
      this.entries.set(key, entry);
    }
    entry.askedAt = now;
    const looking = this.refresh(key, entry, now - LOOKED_UP_MS);
    // What is known is good enough for this request; nothing known is not.
    if (entry.service === null) await looking;
    return entry.service;
  }

  /** A request has to wait: that is told at once, as replicas may have to be made for it. */
  held(service: LiveService): void {
    void this.report(service);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopListening();
    this.reporting?.cancel();
    for (const { service } of this.entries.values()) service?.close();
  }

  private refreshRun(runId: string): void {
    for (const [key, entry] of this.entries) {
      if (entry.service?.found.runId !== runId) continue;
      // A look-up that is under way may have come too early.
      void (entry.looking ?? Promise.resolve()).then(() => this.refresh(key, entry, Infinity));
    }
  }

  /** Looks up unless that was done after `since`. */
  private refresh(key: string, entry: Entry, since: number): Promise<void> {
    if (entry.looking !== null) return entry.looking;
    if (entry.lookedUpAt > since) return Promise.resolve();
    entry.looking = this.lookUp(key, entry)
      .catch((error: unknown) => {
        this.log.warn(`Service ${key} cannot be looked up: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => (entry.looking = null));
    return entry.looking;
  }

  private async lookUp(key: string, entry: Entry): Promise<void> {
    const [projectName = '', runName = ''] = key.split('/');
    const startedAt = this.world.clock.now();
    const found = await this.db.read((tx) => findService(tx, projectName, runName));
    entry.lookedUpAt = startedAt;
    const known = entry.service;
    if (found === null) {
      known?.close();
      entry.service = null;
    } else if (known?.found.runId === found.runId) {
      known.take(found);
    } else {
      known?.close();
      const { ports, world, settings } = this;
      entry.service = new LiveService(found, { ports, world, answerMs: settings.serviceAnswerMs });
      this.reporting ??= this.reportLater();
    }
  }

  private reportLater(): Timer {
    return this.world.scheduler.after(REPORTED_MS, () => {
      const now = this.world.clock.now();
      for (const [key, { service, askedAt }] of this.entries) {
        if (service !== null) void this.report(service);
        if (askedAt > now - FORGOTTEN_MS) continue;
        service?.close();
        this.entries.delete(key);
      }
      this.reporting = this.entries.size > 0 ? this.reportLater() : null;
    });
  }

  private async report(service: LiveService): Promise<void> {
    const report = service.report();
    if (report === null) return;
    await this.traffic.report(service.found.runId, this.identity.holder, report).catch((error: unknown) => {
      this.log.warn(`Traffic cannot be stored: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}
