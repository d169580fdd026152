import { Inject, Injectable, Logger } from '@nestjs/common';
import { JobPorts } from '../agents/job-ports.js';
import { Database } from '../persistence/database.js';
import { NOT_ANOTHERS } from '../reconcile/not-anothers.js';
import { Notices } from '../reconcile/notices.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import { Wake } from '../reconcile/wake.js';
import { ServiceTrafficStore } from '../services/service-traffic.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import { DesiredStates } from './desired-state.js';
import { GatewayCertificates } from './gateway-certificates.js';
import { GatewayConnector } from './gateway-connector.js';
import { GatewayLink } from './gateway-link.js';
import { GatewayRegistrations } from './gateway-registrations.js';

/** Replicas whose lease ran out somewhere else are picked up within this time. */
const SWEEP_MS = 3_000;

/** Holds one link to every gateway replica that no other server holds. */
@Injectable()
export class GatewayLinks {
  private readonly log = new Logger('Gateways');
  private readonly open = new Map<string, GatewayLink>();
  private timer: Timer | null = null;
  private sweeping: Promise<void> | null = null;
  private isDue = false;
  private isStopped = true;
  private stopListening: (() => void)[] = [];

  constructor(
    private readonly db: Database,
    @Inject(GatewayConnector) private readonly connector: GatewayConnector,
    @Inject(DesiredStates) private readonly states: DesiredStates,
    @Inject(GatewayRegistrations) private readonly registrations: GatewayRegistrations,
    @Inject(GatewayCertificates) private readonly certificates: GatewayCertificates,
    @Inject(ServiceTrafficStore) private readonly traffic: ServiceTrafficStore,
    @Inject(JobPorts) private readonly ports: JobPorts,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(Notices) private readonly notices: Notices,
    @Inject(WORLD) private readonly world: World,
  ) {}

  start(): void {
    this.isStopped = false;
    const poke = (): void => {
      for (const link of this.open.values()) link.poke();
    };
    this.stopListening = [
      this.notices.listenToReplicas(poke),
      this.notices.listen('gateway-links', () => {
        poke();
        this.sweep();
      }),
    ];
    this.sweep();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    for (const stop of this.stopListening) stop();
    this.timer?.cancel();
    await this.sweeping;
    await Promise.allSettled([...this.open.values()].map((link) => link.stop()));
  }

  private sweep(): void {
    this.isDue = true;
    if (this.sweeping !== null || this.isStopped) return;
    this.timer?.cancel();
    this.sweeping = this.look().finally(() => {
      this.sweeping = null;
      if (this.isStopped) return;
      if (this.isDue) this.sweep();
      else this.timer = this.world.scheduler.after(SWEEP_MS, () => this.sweep());
    });
  }

  private async look(): Promise<void> {
    this.isDue = false;
    try {
      const wanted = await this.wanted();
      for (const [id, link] of this.open) if (!wanted.has(id)) void link.stop();
      for (const id of wanted) if (!this.open.has(id)) this.begin(id);
    } catch (error) {
      this.log.error('Gateways could not be listed; the next sweep tries again', String(error));
    }
  }

  private begin(id: string): void {
    const { db, world, wake, connector, states, registrations, certificates, traffic, ports } = this;
    const tools = {
      db,
      world,
      wake,
      connector,
      states,
      registrations,
      certificates,
      traffic,
      ports,
      holder: this.me.holder,
    };
    this.open.set(id, new GatewayLink(id, tools, () => this.open.delete(id)));
  }

  private async wanted(): Promise<Set<string>> {
    const rows = await this.db.read(async (tx) =>
      tx.query<{ id: string }>(
        `SELECT id FROM gateway_replicas WHERE deleted = ? AND status = 'running'
           AND ${NOT_ANOTHERS}`,
        [false, this.me.holder, await tx.now()],
      ),
    );
    return new Set(rows.map(({ id }) => id));
  }
}
