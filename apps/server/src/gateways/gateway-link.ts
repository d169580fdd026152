import { createHash } from 'node:crypto';
import { type GatewayApi, type GatewayStatus, StaleRevisionError } from '@dstack/gateway-protocol';
import { statusText } from '@dstack/backend-base';
import { isQuiet } from '@dstack/core';
import { Logger } from '@nestjs/common';
import type { JobPorts } from '../agents/job-ports.js';
import type { Database } from '../persistence/database.js';
import { NOT_ANOTHERS } from '../reconcile/not-anothers.js';
import type { Wake } from '../reconcile/wake.js';
import type { ServiceTrafficStore } from '../services/service-traffic.js';
import type { World } from '../world/world.js';
import type { DesiredGateway, DesiredStates } from './desired-state.js';
import type { GatewayCertificates } from './gateway-certificates.js';
import type { GatewayConnector } from './gateway-connector.js';
import { LINK_LEASE_MS, nextRevision, releaseLink, renewLink, takeLink } from './gateway-lease.js';
import type { GatewayRegistrations } from './gateway-registrations.js';
import { GatewayRelay } from './gateway-relay.js';
import { knownTo } from './known-to-gateway.js';

export interface GatewayLinkTools {
  readonly db: Database;
  readonly world: World;
  readonly holder: string;
  readonly wake: Wake;
  readonly connector: GatewayConnector;
  readonly states: DesiredStates;
  readonly registrations: GatewayRegistrations;
  readonly certificates: GatewayCertificates;
  readonly traffic: Pick<ServiceTrafficStore, 'report'>;
  readonly ports: Pick<JobPorts, 'open'>;
}

/** A notice that was lost, and a token that was revoked, costs so long at most. */
const LOOK_MS = 2_000;
/** The gateway itself tells earlier when there is something. */
const STATUS_WAIT_MS = 20_000;
const STATS_WAIT_MS = 2_000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;

/**
 * This server's link to one gateway replica, for as long as it holds its lease: what the replica shall do is sent when it changes, and what it
 * does comes back. A replica without a link goes on with what it was told last.
 */
export class GatewayLink {
  private readonly log = new Logger('Gateways');
  private readonly stopping = new AbortController();
  private readonly done: Promise<void>;
  /** Rises with every reason to look again. */
  private asked = 0;
  private onAsked: () => void = () => undefined;

  constructor(
    private readonly replicaId: string,
    private readonly tools: GatewayLinkTools,
    onEnd: () => void,
  ) {
    this.done = this.run().finally(onEnd);
  }

  /** Something that the gateway has to know may have changed. */
  poke(): void {
    this.asked += 1;
    this.onAsked();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the server stops'));
    await this.done;
  }

  private async run(): Promise<void> {
    const { db, world, holder } = this.tools;
    let delayMs = RETRY_MIN_MS;
    while (!this.stopping.signal.aborted) {
      try {
        if (!(await takeLink(db, this.replicaId, holder))) return;
        await this.hold(() => (delayMs = RETRY_MIN_MS));
      } catch (error) {
        if (this.stopping.signal.aborted) break;
        this.log.debug(`Gateway replica ${this.replicaId} cannot be reached: ${statusText(error)}`);
        await this.markUnreachable(error).catch((again: unknown) =>
          this.log.error('Could not mark a gateway replica unreachable', String(again)),
        );
      }
      await world.scheduler.sleep(delayMs, this.stopping.signal).catch(() => undefined);
      delayMs = Math.min(RETRY_MAX_MS, delayMs * 2);
    }
    await releaseLink(db, this.replicaId, holder).catch(() => undefined);
  }

  /** Until something breaks, which rejects. */
  private async hold(onConnected: () => void): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, over.signal]);
    const renewing = this.renew(signal);
    let api: GatewayApi | null = null;
    try {
      api = await Promise.race([this.tools.connector.connect(this.replicaId, signal), renewing]);
      const pass = new LinkPass(this.replicaId, { api, relay: this.relay(signal) }, this.tools);
      await Promise.race([pass.begin(signal), renewing]);
      await this.markReached();
      onConnected();
      await Promise.all([
        renewing,
        this.pushing(pass, signal),
        this.watching(pass, signal),
        this.counting(pass, signal),
      ]);
    } finally {
      over.abort(new Error('the link is over'));
      api?.close();
      renewing.catch(() => undefined);
    }
  }

  private relay(signal: AbortSignal): GatewayRelay {
    const { connector, ports, world } = this.tools;
    return new GatewayRelay({ connect: (until) => connector.connect(this.replicaId, until), ports, world }, signal);
  }

  private async renew(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.tools.world.scheduler.sleep(LINK_LEASE_MS / 3, signal);
      await renewLink(this.tools.db, this.replicaId, this.tools.holder);
    }
  }

  private async pushing(pass: LinkPass, signal: AbortSignal): Promise<never> {
    for (;;) {
      const { asked } = this;
      await pass.push(signal);
      if (asked === this.asked) await this.untilAsked(signal);
      signal.throwIfAborted();
    }
  }

  private async watching(pass: LinkPass, signal: AbortSignal): Promise<never> {
    for (;;) {
      await pass.watch(signal);
      signal.throwIfAborted();
    }
  }

  private async counting(pass: LinkPass, signal: AbortSignal): Promise<never> {
    for (;;) {
      await pass.count(signal);
      signal.throwIfAborted();
    }
  }

  private untilAsked(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.tools.world.scheduler.after(LOOK_MS, () => end());
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', end);
        this.onAsked = () => undefined;
        resolve();
      };
      signal.addEventListener('abort', end);
      this.onAsked = end;
    });
  }

  private async markReached(): Promise<void> {
    await this.tools.db.write(async (tx) => {
      const marked = await tx.execute(
        `UPDATE gateway_replicas SET unreachable_since = NULL, last_error = NULL, rev = rev + 1 WHERE id = ? AND unreachable_since IS NOT NULL`,
        [this.replicaId],
      );
      if (marked === 1) await this.tools.wake.rows(tx, 'gateway_replicas', [this.replicaId]);
    });
  }

  /** Not by who was silent for so long that another server has the link now, and reaches the gateway. */
  private async markUnreachable(cause: unknown): Promise<void> {
    const { holder } = this.tools;
    await this.tools.db.write(async (tx) => {
      const now = await tx.now();
      await tx.execute(
        `UPDATE gateway_replicas SET last_error = ? WHERE id = ? AND status = 'running' AND ${NOT_ANOTHERS}`,
        [statusText(cause, 800), this.replicaId, holder, now],
      );
      const marked = await tx.execute(
        `UPDATE gateway_replicas SET unreachable_since = ?, rev = rev + 1
         WHERE id = ? AND unreachable_since IS NULL AND status = 'running' AND ${NOT_ANOTHERS}`,
        [now, this.replicaId, holder, now],
      );
      if (marked === 1) await this.tools.wake.rows(tx, 'gateway_replicas', [this.replicaId]);
    });
  }
}

/** What goes to and fro over one connection. */
class LinkPass {
  private desired: DesiredGateway | null = null;
  private sentState = '';
  private sentAccess = '';
  /** What a gateway counts begins above. */
  private change = 0;
  private cursor = 0;
  private readonly busy = new Set<string>();
  private heldRevision = -1;
  /** The gateway does what the database said at this time. */
  private heardAt = 0;
  private protocol = 0;
  private readonly api: GatewayApi;

  constructor(
    private readonly replicaId: string,
    private readonly ways: { readonly api: GatewayApi; readonly relay: Pick<GatewayRelay, 'follow'> },
    private readonly tools: GatewayLinkTools,
  ) {
    this.api = ways.api;
  }

  async begin(signal: AbortSignal): Promise<void> {
    const { revision, accessRevision, protocol } = await this.api.info(signal);
    this.protocol = protocol.max;
    this.tools.certificates.forget(this.replicaId);
    this.heldRevision = Math.max(revision, accessRevision);
    await this.push(signal);
  }

  /** What has changed since it was sent last. */
  async push(signal: AbortSignal): Promise<void> {
    const { db, states, certificates, registrations } = this.tools;
    const wanted = await db.read((tx) => states.read(tx, this.replicaId));
    if (wanted === null) throw new Error('the gateway replica is gone');
    const desired = knownTo(wanted, this.protocol);
    this.ways.relay.follow(desired.led);
    await certificates.exchange(desired, this.api, signal);
    const state = digest({ state: desired.state, refused: desired.refused });
    const access = digest(desired.tokens);
    this.desired = desired;
    try {
      if (state !== this.sentState) {
        const revision = await this.revision();
        const status = await this.api.putState(
          { ...desired.state, revision, access: { revision, tokens: desired.tokens } },
          signal,
        );
        await registrations.record(desired, status);
      } else if (access !== this.sentAccess) {
        const revision = await this.revision();
        await this.api.putAccess({ revision, tokens: desired.tokens }, signal);
      }
    } catch (error) {
      if (!(error instanceof StaleRevisionError)) throw error;
      // Of a database that was restored, or of a server that lost the link meanwhile: its turn is over by then.
      this.heldRevision = error.currentRevision;
      return this.push(signal);
    }
    this.sentState = state;
    this.sentAccess = access;
    this.heardAt = desired.readAt;
  }

  async watch(signal: AbortSignal): Promise<void> {
    const status = await this.api.status({ after: this.change, waitMs: STATUS_WAIT_MS }, signal);
    const isNews = status.change !== this.change;
    this.change = status.change;
    if (isNews) await this.take(status, signal);
  }

  async count(signal: AbortSignal): Promise<void> {
    const { cursor, services } = await this.api.stats({ after: this.cursor, waitMs: STATS_WAIT_MS }, signal);
    this.cursor = cursor;
    for (const { serviceId, traffic } of services) {
      const wasQuiet = !this.busy.has(serviceId);
      if (isQuiet(traffic)) this.busy.delete(serviceId);
      else this.busy.add(serviceId);
      // What has become quiet is told once more.
      if (wasQuiet && isQuiet(traffic)) continue;
      await this.tools.traffic.report(serviceId, `gateway/${this.replicaId}`, traffic, this.heardAt);
    }
  }

  private async take(status: GatewayStatus, signal: AbortSignal): Promise<void> {
    const { desired } = this;
    if (desired === null) return;
    await this.tools.registrations.record(desired, status);
    await this.tools.certificates.take(desired, status, this.api, signal);
  }

  private async revision(): Promise<number> {
    this.heldRevision = await nextRevision(this.tools.db, this.replicaId, this.heldRevision + 1);
    return this.heldRevision;
  }
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
