import type { Duplex } from 'node:stream';
import { AgentRequestError, type AgentApi, joinStreams } from '@dstack/agent-protocol';
import { Logger } from '@nestjs/common';
import type { World } from '../world/world.js';
import type { OwnApi } from './own-api.js';

/** Asked for ahead of time, so that a connection of a job need not wait for a request to its agent. */
const READY = 2;
/** Of one job at once; further ones wait. */
const MOST_OPEN = 64;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5_000;

export interface ServerAccessTools {
  readonly ownApi: OwnApi;
  readonly world: World;
}

/** What jobs with `dstack: true` say to this server, through the connection it has to their agent. */
export class ServerAccess {
  private readonly log = new Logger('Agents');
  private readonly served = new Set<string>();

  constructor(
    private readonly agent: Pick<AgentApi, 'acceptServerConnection'>,
    private readonly tools: ServerAccessTools,
    private readonly signal: AbortSignal,
  ) {}

  ensure(jobId: string): void {
    if (this.served.has(jobId)) return;
    this.served.add(jobId);
    const open = new Set<Promise<void>>();
    const loops = Array.from({ length: READY }, () => this.serve(jobId, open));
    void Promise.all(loops).then(() => this.served.delete(jobId));
  }

  /** Until the job has finished or the connection is over. */
  private async serve(jobId: string, open: Set<Promise<void>>): Promise<void> {
    let delayMs = RETRY_MIN_MS;
    while (!this.signal.aborted) {
      try {
        if (open.size >= MOST_OPEN) await Promise.race(open);
        const fromJob = await this.agent.acceptServerConnection(jobId, this.signal);
        const joined = joinStreams(fromJob, await this.connect(fromJob));
        open.add(joined);
        void joined.then(() => open.delete(joined));
        delayMs = RETRY_MIN_MS;
      } catch (error) {
        if (this.signal.aborted || isOver(error)) return;
        this.log.debug(`Job ${jobId} cannot be heard: ${error instanceof Error ? error.message : String(error)}`);
        await this.tools.world.scheduler.sleep(delayMs, this.signal).catch(() => undefined);
        delayMs = Math.min(RETRY_MAX_MS, delayMs * 2);
      }
    }
  }

  private async connect(fromJob: Duplex): Promise<Duplex> {
    try {
      return await this.tools.ownApi.connect();
    } catch (error) {
      fromJob.destroy();
      throw error;
    }
  }
}

function isOver(error: unknown): boolean {
  return error instanceof AgentRequestError && error.code === 'not_found';
}
