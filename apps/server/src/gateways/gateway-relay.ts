import { joinStreams } from '@dstack/agent-protocol';
import type { GatewayApi, LedConnection } from '@dstack/gateway-protocol';
import { statusText } from '@dstack/backend-base';
import { Logger } from '@nestjs/common';
import type { JobPorts } from '../agents/job-ports.js';
import type { World } from '../world/world.js';

/** Connections asked for ahead of time, so that a request need not wait for one. */
const READY = 16;
/** To all replicas of one gateway at once; sshd holds a file for each, and further ones wait. */
const MOST_OPEN = 512;
/** A new program of the gateway listens where the former did: the connection to its host is only made anew when that does not help. */
const TRIES = 3;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;

/** A replica to which only this server comes, by the id of its job. */
export interface LedReplica {
  readonly instanceId: string;
  readonly port: number;
}

export interface GatewayRelayTools {
  /** A connection of its own: what services say does not hold up what the gateway is told. */
  readonly connect: (signal: AbortSignal) => Promise<Pick<GatewayApi, 'ledConnection' | 'close'>>;
  readonly ports: Pick<JobPorts, 'open'>;
  readonly world: World;
}

/** Leads a gateway to replicas on this server's own machine, which it cannot reach itself. */
export class GatewayRelay {
  private readonly log = new Logger('Gateways');
  private led: ReadonlyMap<string, LedReplica> = new Map();
  private readonly open = new Set<Promise<void>>();
  private isServing = false;

  constructor(
    private readonly tools: GatewayRelayTools,
    private readonly signal: AbortSignal,
  ) {}

  /** Nobody is led anywhere else. */
  follow(led: ReadonlyMap<string, LedReplica>): void {
    this.led = led;
    if (led.size === 0 || this.isServing) return;
    this.isServing = true;
    void this.serve();
  }

  private async serve(): Promise<void> {
    const { connect, world } = this.tools;
    let delayMs = RETRY_MIN_MS;
    while (!this.signal.aborted) {
      try {
        const api = await connect(this.signal);
        await this.lead(api, () => (delayMs = RETRY_MIN_MS)).finally(() => api.close());
      } catch (error) {
        if (this.signal.aborted) return;
        this.log.debug(`A gateway is not led to the replicas here: ${statusText(error)}`);
        await world.scheduler.sleep(delayMs, this.signal).catch(() => undefined);
        delayMs = Math.min(RETRY_MAX_MS, delayMs * 2);
      }
    }
  }

  /** Until the connection breaks, which rejects. */
  private async lead(api: Pick<GatewayApi, 'ledConnection'>, onLed: () => void): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.signal, over.signal]);
    const loops = Array.from({ length: READY }, async () => {
      for (;;) {
        if (this.open.size >= MOST_OPEN) await Promise.race(this.open);
        const asked = await this.ask(api, signal);
        onLed();
        const joined = this.join(asked);
        this.open.add(joined);
        void joined.finally(() => this.open.delete(joined));
      }
    });
    await Promise.all(loops).finally(() => over.abort(new Error('the connection to the gateway is over')));
  }

  private async ask(api: Pick<GatewayApi, 'ledConnection'>, signal: AbortSignal): Promise<LedConnection> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await api.ledConnection(signal);
      } catch (error) {
        if (signal.aborted || tries >= TRIES) throw error;
        await this.tools.world.scheduler.sleep(RETRY_MIN_MS * tries, signal);
      }
    }
  }

  private async join(asked: LedConnection): Promise<void> {
    const replica = this.led.get(asked.replicaId);
    if (replica === undefined) return asked.refuse('the server leads to no such replica (any more)');
    try {
      const stream = await this.tools.ports.open(replica.instanceId, asked.replicaId, replica.port);
      await joinStreams(asked.accept(), stream);
    } catch (error) {
      asked.refuse(statusText(error, 200));
    }
  }
}
