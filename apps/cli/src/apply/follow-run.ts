import {
  type Dstack,
  isDstackError,
  isFinalJobStatus,
  isFinalRunStatus,
  selectSubmission,
  type Wire,
} from '@dstack/sdk';
import { waitingText } from '../render/waiting-text.js';
import type { CliContext } from '../terminal/context.js';
import { connectionNotes } from '../terminal/connection-notes.js';
import { ReasonNotes } from './reason-notes.js';
import { Progress } from '../terminal/progress.js';
import { writeStdout } from '../terminal/write-stdout.js';
import { patiently } from './patiently.js';

export interface FollowOptions {
  readonly plan?: Wire.RunPlan | undefined;
  readonly replica?: number | undefined;
  readonly job?: number | undefined;
  readonly sinceMs?: number | undefined;
  readonly showLogs: boolean;
  readonly signal: AbortSignal;
  /** Called once for each attempt of the job, when it runs. */
  readonly onRunning?: ((run: Wire.Run) => Promise<void>) | undefined;
  /** Called when such an attempt has ended. */
  readonly onEnded?: (() => Promise<void>) | undefined;
  /** The job's end is enough: the rest of the run is not waited for. */
  readonly untilJobDone?: boolean | undefined;
  /** Bytes as they are to be shown (addresses of forwarded ports rewritten). */
  readonly rewrite?: ((bytes: Uint8Array) => Uint8Array) | undefined;
}

const POLL_MS = 700;
/** From the end of the last log to the final state of the run. */
const ENDING_MS = 30_000;
/** How long a server may be away while its log is shown. */
const OUTAGE_MS = 120_000;

/**
 * Shows why a run waits, then its logs, attempt after attempt, until it is final.
 * @throws {DstackError} of kind `aborted` when the signal says so; the run goes on
 */
export async function followRun(
  client: Dstack,
  context: CliContext,
  name: string,
  options: FollowOptions,
): Promise<Wire.Run> {
  const progress = new Progress(context, { clock: true });
  const seen = new Set<string>();
  const reasons = new ReasonNotes(context);
  let entered: string | undefined;
  let endedAt: number | undefined;
  const selector = { replica: options.replica, job: options.job };
  const patience = patienceOf(options, progress);
  try {
    for (;;) {
      const run = await patiently(() => client.runs.get(name, { signal: options.signal }), patience);
      const submission = selectSubmission(run, selector);
      if (isStarted(submission) && submission.id !== entered) {
        entered = submission.id;
        progress.clear();
        await options.onRunning?.(run);
      }
      if (submission && options.showLogs && hasLogs(submission) && !seen.has(submission.id)) {
        seen.add(submission.id);
        progress.clear();
        await showLogs(client, name, submission.id, options);
        endedAt = context.now();
        continue;
      }
      const ending = submission !== undefined && isFinalJobStatus(submission.status);
      if (ending) await options.onEnded?.();
      if (isFinalRunStatus(run.status) || (options.untilJobDone && submission?.status === 'done')) return run;
      if (entered === undefined || run.status === 'pending') reasons.tell(run, progress);
      if (entered === undefined || ending || run.status === 'pending') progress.update(waitingText(run, options.plan));
      else progress.clear();
      if (endedAt !== undefined && context.now() - endedAt > ENDING_MS && !ending) seen.delete(submission?.id ?? '');
      await pause(POLL_MS, options.signal);
    }
  } finally {
    progress.clear();
  }
}

/** Who only forwards ports does not need the server, and waits for it as long as need be. */
function patienceOf({ showLogs: readsLogs, signal }: FollowOptions, progress: Progress) {
  const note = connectionNotes((text) => process.stderr.write(text), readsLogs ? 'for 2 minutes' : 'until you detach');
  return {
    signal,
    outageMs: readsLogs ? OUTAGE_MS : Infinity,
    onConnection: (state: 'lost' | 'back') => {
      progress.clear();
      note(state);
    },
  };
}

async function showLogs(client: Dstack, name: string, submissionId: string, options: FollowOptions): Promise<void> {
  const { replica, job, sinceMs, signal } = options;
  let after = 0;
  const onConnection = connectionNotes((text) => process.stderr.write(text));
  const logs = client.runs.handle(name).logBytes({ replica, job, submissionId, sinceMs, signal, onConnection });
  try {
    for await (const chunk of logs) {
      await writeStdout(options.rewrite ? options.rewrite(chunk.bytes) : chunk.bytes);
      after = chunk.endOffset;
    }
  } catch (error) {
    // A job that never printed has no log on some servers; its state tells the rest.
    if (after === 0 && isDstackError(error, 'not-found')) return;
    throw error;
  }
}

function isStarted(submission: Wire.JobSubmission | undefined): submission is Wire.JobSubmission {
  return submission !== undefined && ['running', 'terminating', 'done'].includes(submission.status);
}

/** Before it runs there is nothing to read, and the waiting line has the better words. */
function hasLogs(submission: Wire.JobSubmission): boolean {
  return submission.status === 'running' || submission.status === 'terminating' || isFinalJobStatus(submission.status);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
