import { AgentRequestError, type AgentApi, type LogStream } from '@dstack/agent-protocol';
import { Logger } from '@nestjs/common';
import type { Database } from '../persistence/database.js';
import type { LogStore } from '../logs/log-store.js';
import type { Wake } from '../reconcile/wake.js';
import type { World } from '../world/world.js';
import { pumpLog } from './log-pump.js';

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5_000;

export interface PumpedJob {
  readonly jobId: string;
  readonly projectName: string;
  readonly runName: string;
}

export interface LogPumpTools {
  readonly db: Database;
  readonly store: LogStore;
  readonly wake: Wake;
  readonly world: World;
}

/** The log streams of the jobs of one connection: two per job, each going on until its log is complete. */
export class LogPumps {
  private readonly log = new Logger('Logs');
  private readonly running = new Set<string>();

  constructor(
    private readonly agent: AgentApi,
    private readonly tools: LogPumpTools,
    private readonly signal: AbortSignal,
  ) {}

  ensure(job: PumpedJob): void {
    if (this.running.has(job.jobId)) return;
    this.running.add(job.jobId);
    void this.pump(job, 'job');
    void this.pump(job, 'runner');
  }

  private async pump(job: PumpedJob, stream: LogStream): Promise<void> {
    let delayMs = RETRY_MIN_MS;
    while (!this.signal.aborted) {
      try {
        const end = await pumpLog({
          agent: this.agent,
          store: this.tools.store,
          key: { ...job, stream },
          stream,
          signal: this.signal,
        });
        return await this.ended(job, stream, end);
      } catch (error) {
        if (this.signal.aborted) return;
        // The job was removed there: what its spool held is gone, and so is the reason to ask.
        if (error instanceof AgentRequestError && error.code === 'not_found')
          return void this.running.delete(job.jobId);
        this.log.warn(
          `Log stream interrupted; it goes on where it ended: ${error instanceof Error ? error.message : String(error)}`,
        );
        await this.tools.world.scheduler.sleep(delayMs, this.signal).catch(() => undefined);
        delayMs = Math.min(RETRY_MAX_MS, delayMs * 2);
      }
    }
  }

  private async ended(job: PumpedJob, stream: LogStream, end: number): Promise<void> {
    await this.tools.store.complete({ ...job, stream });
    const { jobId } = job;
    const column = stream === 'job' ? 'log_end_job' : 'log_end_runner';
    await this.tools.db.write(async (tx) => {
      await tx.execute(`UPDATE jobs SET ${column} = ?, rev = rev + 1 WHERE id = ?`, [end, jobId]);
      await this.tools.wake.rows(tx, 'jobs', [jobId]);
    });
  }
}
