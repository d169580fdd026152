import { Inject, Injectable, Logger } from '@nestjs/common';
import { InstanceHealth } from '../instances/instance-health.js';
import { LOG_STORE, type LogStore } from '../logs/log-store.js';
import { MetricsStore } from '../metrics/metrics-store.js';
import { Database } from '../persistence/database.js';
import { inList } from '../persistence/in-list.js';
import { readTogether, writeTogether } from '../persistence/together.js';
import { NOT_ANOTHERS } from '../reconcile/not-anothers.js';
import { Notices } from '../reconcile/notices.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import { Wake } from '../reconcile/wake.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import { AgentConnector } from './agent-connector.js';
import { ConnectionKeeper } from './connection-keeper.js';
import { AgentRegistry } from './agent-registry.js';
import { type ConnectionTools, HostConnection } from './host-connection.js';
import { JobStates } from './job-states.js';
import { OwnApi } from './own-api.js';

/** Hosts whose lease ran out somewhere else are picked up within this time. */
const SWEEP_MS = 3_000;
/** Of those that notices named, in one question. */
const MOST_NAMED = 500;

// `false` is no parameter: the index of live instances is asked by it.
const LIVE = `deleted = false AND status IN ('provisioning', 'idle', 'busy', 'terminating')`;
// The concatenation keeps SQLite from that index: for more than a few names it would look at all live instances.
const LIVE_OF_NAMED = `deleted = false AND status || '' IN ('provisioning', 'idle', 'busy', 'terminating')`;

/** Holds one connection to every live host that no other server holds. */
@Injectable()
export class Connections {
  private readonly log = new Logger('Agents');
  private readonly open = new Map<string, HostConnection>();
  private timer: Timer | null = null;
  private scanning: Promise<void> | null = null;
  private isSweepDue = false;
  private readonly named = new Set<string>();
  private isStopped = true;
  private stopListening: (() => void)[] = [];
  private readonly keeper: ConnectionKeeper;
  private readonly together: Pick<ConnectionTools, 'reading' | 'taking' | 'marking'>;

  constructor(
    private readonly db: Database,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(Notices) private readonly notices: Notices,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(AgentConnector) private readonly connector: AgentConnector,
    @Inject(AgentRegistry) private readonly registry: AgentRegistry,
    @Inject(JobStates) private readonly jobStates: JobStates,
    @Inject(MetricsStore) private readonly metrics: MetricsStore,
    @Inject(InstanceHealth) private readonly health: InstanceHealth,
    @Inject(LOG_STORE) private readonly store: LogStore,
    @Inject(OwnApi) private readonly ownApi: OwnApi,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.keeper = new ConnectionKeeper(db, world, me.holder);
    this.together = { reading: readTogether(db), taking: writeTogether(db), marking: writeTogether(db) };
  }

  start(): void {
    this.isStopped = false;
    this.stopListening = [
      this.notices.listenToHosts('connections', (ids) => this.pokeFor(ids)),
      this.notices.listenToHosts('logs', (ids) => this.refreshJobs(ids)),
    ];
    this.sweep();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    for (const stop of this.stopListening) stop();
    this.timer?.cancel();
    await this.scanning;
    await Promise.allSettled([...this.open.values()].map((connection) => connection.stop()));
  }

  private refreshJobs(instanceIds: readonly string[]): void {
    for (const id of instanceIds) {
      this.open
        .get(id)
        ?.refreshJobs()
        .catch((error: unknown) => this.log.warn(`Jobs of a host could not be listed: ${String(error)}`));
    }
  }

  private pokeFor(instanceIds: readonly string[]): void {
    for (const id of instanceIds) if (!this.open.has(id)) this.named.add(id);
    if (this.named.size > 0) this.poke();
  }

  private sweep(): void {
    this.isSweepDue = true;
    this.poke();
  }

  private poke(): void {
    if (this.scanning === null && !this.isStopped) this.scanning = this.scan().finally(() => this.rest());
  }

  private async scan(): Promise<void> {
    while ((this.isSweepDue || this.named.size > 0) && !this.isStopped) {
      const ids = this.isSweepDue ? null : [...this.named].slice(0, MOST_NAMED);
      this.isSweepDue = false;
      for (const id of ids ?? this.named) this.named.delete(id);
      try {
        for (const id of await this.unconnected(ids)) this.connect(id);
      } catch (error) {
        this.log.error('Hosts could not be listed; the next sweep tries again', String(error));
      }
    }
  }

  private rest(): void {
    this.scanning = null;
    if (this.isStopped) return;
    if (this.isSweepDue || this.named.size > 0) this.poke();
    else this.planSweep();
  }

  /** Notices name their hosts and do not put it off. */
  private planSweep(): void {
    this.timer ??= this.world.scheduler.after(SWEEP_MS, () => {
      this.timer = null;
      this.sweep();
    });
  }

  private connect(id: string): void {
    const tools = {
      db: this.db,
      ...this.together,
      store: this.store,
      wake: this.wake,
      world: this.world,
      holder: this.me.holder,
      keeper: this.keeper,
      connector: this.connector,
      registry: this.registry,
      jobStates: this.jobStates,
      metrics: this.metrics,
      health: this.health,
      ownApi: this.ownApi,
    };
    this.open.set(id, new HostConnection(id, tools, () => this.open.delete(id)));
  }

  /** @param among null: all */
  private async unconnected(among: readonly string[] | null): Promise<string[]> {
    const named = among === null ? null : inList('id', among);
    const rows = await this.db.read(async (tx) =>
      tx.query<{ id: string }>(
        `SELECT id FROM instances WHERE ${named === null ? LIVE : `${named.sql} AND ${LIVE_OF_NAMED}`}
           AND ${NOT_ANOTHERS}
           AND machine LIKE '%"agent":{%'`,
        [...(named?.params ?? []), this.me.holder, await tx.now()],
      ),
    );
    return rows.map((row) => row.id).filter((id) => !this.open.has(id));
  }
}
