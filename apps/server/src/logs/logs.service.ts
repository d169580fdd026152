import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { ClientError, ResourceNotExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { findJob, type JobSelector } from './find-job.js';
import { LOG_STORE, type LogStore } from './log-store.js';
import { BadLogTokenError, pageLogs } from './page-logs.js';
import { LogSinkError } from './sinks/log-sink.js';
import { streamLog } from './stream-log.js';

interface ProjectName {
  readonly id: string;
  readonly name: string;
}

@Injectable()
export class LogsService {
  constructor(
    private readonly db: Database,
    @Inject(LOG_STORE) private readonly store: LogStore,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async poll(project: ProjectName, request: Wire.PollLogsRequest): Promise<Wire.JobSubmissionLogs> {
    const { key } = await this.db.read((tx) =>
      findJob(tx, project, {
        runName: request.run_name,
        submissionId: request.job_submission_id,
        diagnose: request.diagnose ?? false,
      }),
    );
    try {
      const page = await pageLogs(this.store, key, {
        descending: request.descending ?? false,
        limit: request.limit ?? 100,
        ...(request.start_time ? { after: Date.parse(request.start_time) } : {}),
        ...(request.end_time ? { before: Date.parse(request.end_time) } : {}),
        ...(request.next_token ? { token: request.next_token } : {}),
      });
      return {
        logs: page.lines.map((line) => ({
          timestamp: new Date(line.at).toISOString(),
          log_source: 'stdout',
          message: Buffer.from(line.bytes).toString('base64'),
        })),
        external_url: this.store.externalUrl?.(key) ?? null,
        next_token: page.nextToken ?? null,
      };
    } catch (error) {
      if (error instanceof BadLogTokenError) throw new ClientError(error.message);
      if (error instanceof LogSinkError) throw new ClientError(`The log cannot be read now: ${error.message}`);
      throw error;
    }
  }

  /** Finds the job before the first byte is sent, so that what is wrong can still be told with a status. */
  async stream(
    project: ProjectName,
    selector: JobSelector,
    options: { readonly after: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): Promise<AsyncGenerator<Buffer>> {
    const { key } = await this.db.read((tx) => findJob(tx, project, selector));
    const pinned = { ...selector, submissionId: key.jobId };
    return streamLog(this.store, key, {
      ...options,
      isOver: () => this.isOver(project, pinned),
      now: () => this.world.clock.now(),
      scheduler: this.world.scheduler,
    });
  }

  private async isOver(project: ProjectName, selector: JobSelector): Promise<boolean> {
    try {
      return (await this.db.read((tx) => findJob(tx, project, selector))).finishedAt !== null;
    } catch (error) {
      if (error instanceof ResourceNotExistsError) return true; // deleted while somebody was reading
      throw error;
    }
  }
}
