import type { Wire } from '@dstack/core';
import { RunFailedError } from '../errors.js';
import { sleep } from '../http/sleep.js';
import type { CallOptions } from '../http/transport.js';
import type { LogChunk, LogLine, LogOptions } from '../logs/log-chunk.js';
import { logLines } from '../logs/log-lines.js';
import type { Logs } from '../resources/logs.js';
import type { Runs } from '../resources/runs.js';
import { isFinalRunStatus } from './final-status.js';
import { type JobSelector, type RunResult, runExitStatus } from './run-state.js';

const POLL_MS = 1_000;

/** One run, by name. Cheap to make; every method asks the server. */
export class RunHandle {
  constructor(
    private readonly runs: Runs,
    private readonly logsOfProject: Logs,
    readonly name: string,
  ) {}

  get(options?: CallOptions): Promise<Wire.Run> {
    return this.runs.get(this.name, options);
  }

  /** The run's states until it is final, whenever something changed. */
  async *watch(options: { signal?: AbortSignal; pollMs?: number } = {}): AsyncIterable<Wire.Run> {
    let before: string | undefined;
    for (;;) {
      const run = await this.get({ signal: options.signal });
      const text = JSON.stringify(run);
      if (text !== before) yield run;
      before = text;
      if (isFinalRunStatus(run.status)) return;
      await sleep(options.pollMs ?? POLL_MS, options.signal);
    }
  }

  /**
   * Resolves when the run is done.
   * @throws {RunFailedError} with exit status and reason when it ended otherwise
   */
  async result(options: { signal?: AbortSignal } = {}): Promise<RunResult> {
    for await (const run of this.watch(options)) {
      if (!isFinalRunStatus(run.status)) continue;
      const exitStatus = runExitStatus(run);
      const reason = run.termination_reason ?? null;
      if (run.status === 'done') return { status: run.status, exitStatus, terminationReason: reason, run };
      const why = run.error ?? run.status_message ?? reason ?? run.status;
      throw new RunFailedError(`Run ${this.name} ${run.status}: ${why}`, this.name, run.status, exitStatus, reason);
    }
    throw new RunFailedError(`Run ${this.name} is gone.`, this.name, 'terminated', null, null);
  }

  /** Lines of a job's log until it is complete. Reconnects by itself; no line is skipped or repeated. */
  logs(options: LogOptions & JobSelector = {}): AsyncIterable<LogLine> {
    return logLines(this.logBytes(options));
  }

  /** The same as the terminal printed it, colours and all. */
  logBytes(options: LogOptions & JobSelector = {}): AsyncIterable<LogChunk> {
    const { replica, job, submissionId, ...rest } = options;
    return this.logsOfProject.follow({ runName: this.name, replica, job, submissionId }, rest);
  }

  /** Asks the run to stop; `abort` gives it no time to finish. Does not wait. */
  stop(options: CallOptions & { abort?: boolean } = {}): Promise<void> {
    return this.runs.stop([this.name], options);
  }

  delete(options?: CallOptions): Promise<void> {
    return this.runs.delete([this.name], options);
  }
}
