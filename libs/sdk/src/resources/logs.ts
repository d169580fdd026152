import type { Wire } from '@dstack/core';
import { DstackError, isApiError } from '../errors.js';
import type { CallOptions } from '../http/transport.js';
import type { LogChunk, LogOptions, LogTarget } from '../logs/log-chunk.js';
import { type LogPoller, pollLogs } from '../logs/poll-logs.js';
import { streamLogs } from '../logs/stream-logs.js';
import { isFinalJobStatus } from '../runs/final-status.js';
import { selectSubmission } from '../runs/run-state.js';
import type { ProjectCalls } from './project-call.js';

export class Logs {
  constructor(private readonly project: ProjectCalls) {}

  /** One page of stored log events. */
  poll(request: Wire.PollLogsRequest, options?: CallOptions): Promise<Wire.JobSubmissionLogs> {
    return this.project.read('logs/poll', request, options);
  }

  /** A job's log as bytes: streamed live, or polled from a server that cannot stream. */
  async *follow(target: LogTarget, options: LogOptions = {}): AsyncIterable<LogChunk> {
    try {
      yield* streamLogs(this.project.transport, this.project.name, target, options);
    } catch (error) {
      if (!lacksStreams(error)) throw error;
      yield* this.polled(target, options);
    }
  }

  private async *polled(target: LogTarget, options: LogOptions): AsyncIterable<LogChunk> {
    const run = await this.run(target.runName, options);
    const submission = selectSubmission(run, target);
    if (!submission)
      throw new DstackError('not-found', `Run ${target.runName} has no job ${describe(target)}.`, {
        hint: `See its jobs: dstack ps -v`,
      });
    const poller: LogPoller = {
      poll: (request) => this.poll(request, { signal: options.signal }),
      isComplete: async () => {
        const now = selectSubmission(await this.run(target.runName, options), {
          ...target,
          submissionId: submission.id,
        });
        return !now || isFinalJobStatus(now.status);
      },
    };
    yield* pollLogs(poller, { runName: target.runName, submissionId: submission.id }, options);
  }

  private run(name: string, options: LogOptions): Promise<Wire.Run> {
    return this.project.read('runs/get', { run_name: name }, { signal: options.signal });
  }
}

/** An unknown route is a 404 without our words; an unknown run is a 400. 405: the path is known for another method. */
function lacksStreams(error: unknown): boolean {
  return isApiError(error) && [404, 405, 501].includes(error.details.status);
}

function describe(target: LogTarget): string {
  return `replica=${target.replica ?? 0} job=${target.job ?? 0}`;
}
