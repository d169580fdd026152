import type { Duplex } from 'node:stream';
import { kindOfOffer } from '@dstack/core';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { findInstance } from '../instances/instance-record.js';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { AgentConnector, type ConnectedAgent } from './agent-connector.js';
import { AgentRegistry } from './agent-registry.js';

/** A way that nobody has gone for this long is closed. */
const KEPT_MS = 60_000;
const OPEN_LIMIT_MS = 10_000;

interface Way {
  readonly connected: Promise<ConnectedAgent>;
  lastUsedAt: number;
}

/** The instance has no agent that could be asked. */
class NoAgentError extends Error {
  override readonly name = 'NoAgentError';
  constructor(instanceId: string) {
    super(`instance ${instanceId} has no agent yet, or none any more`);
  }
}

/**
 * Streams to ports of jobs. They are data, not control: over this server's own connection to the host where it has one, else over one made for
 * them, whichever server holds the host.
 */
@Injectable()
export class JobPorts implements OnApplicationShutdown {
  private readonly ways = new Map<string, Way>();

  constructor(
    private readonly db: Database,
    @Inject(AgentRegistry) private readonly registry: AgentRegistry,
    @Inject(AgentConnector) private readonly connector: AgentConnector,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** Rejects when the host or the port cannot be reached. */
  async open(instanceId: string, jobId: string, port: number): Promise<Duplex> {
    const signal = AbortSignal.timeout(OPEN_LIMIT_MS);
    const held = this.registry.get(instanceId);
    if (held?.openTcp !== undefined) return held.openTcp(jobId, port, signal);
    const { api } = await this.way(instanceId);
    if (api.openTcp === undefined) throw new NoAgentError(instanceId);
    return api.openTcp(jobId, port, signal);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled([...this.ways.keys()].map((id) => this.close(id)));
  }

  private way(instanceId: string): Promise<ConnectedAgent> {
    const now = this.world.clock.now();
    for (const [id, { lastUsedAt }] of this.ways) if (lastUsedAt < now - KEPT_MS) void this.close(id);
    const known = this.ways.get(instanceId);
    if (known !== undefined) {
      known.lastUsedAt = now;
      return known.connected;
    }
    const connected = this.connect(instanceId);
    this.ways.set(instanceId, { connected, lastUsedAt: now });
    connected.catch(() => this.ways.delete(instanceId));
    return connected;
  }

  private async connect(instanceId: string): Promise<ConnectedAgent> {
    const instance = await this.db.read((tx) => findInstance(tx, instanceId));
    const address = instance?.machine?.agent ?? null;
    if (instance === null || address === null) throw new NoAgentError(instanceId);
    // No epoch: the agent asks for none where nothing is controlled.
    const target = { instanceId, address, kind: kindOfOffer(instance.offer), epoch: 0 };
    return this.connector.connect(target, AbortSignal.timeout(OPEN_LIMIT_MS));
  }

  private async close(instanceId: string): Promise<void> {
    const way = this.ways.get(instanceId);
    this.ways.delete(instanceId);
    const connected = await way?.connected.catch(() => undefined);
    connected?.close();
  }
}
