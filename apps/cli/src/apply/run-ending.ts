import { endingJob, runExitStatus, selectSubmission, type Wire } from '@dstack/sdk';
import { jobStatusText, runStatusText } from '../render/run-status.js';
import { EXIT_FAILURE } from '../errors/cli-error.js';

export interface RunEnding {
  readonly text: string;
  readonly ok: boolean;
  readonly exitCode: number;
}

/** How an attached command ends with its run: the job's exit code, or 1 for a failure without one. Pure. */
export function runEnding(run: Wire.Run, name: string): RunEnding {
  const job = endingJob(run);
  const submission = job?.job_submissions.at(-1) ?? selectSubmission(run);
  const exitStatus = runExitStatus(run);
  if (run.status === 'done') return { text: `Exited (${exitStatus ?? 0})`, ok: true, exitCode: exitStatus ?? 0 };
  const reason = submission?.termination_reason ?? run.termination_reason;
  const why = [
    run.error ?? submission?.error,
    submission?.termination_reason_message,
    reason ? `reason: ${reason}` : undefined,
  ].filter((part, i, all): part is string => typeof part === 'string' && part !== '' && all.indexOf(part) === i);
  const which = run.jobs.length > 1 && job ? jobOf(job) : undefined;
  const status = which && submission ? `${jobStatusText(submission)}, ${which.words}` : runStatusText(run);
  const wasStopped = run.termination_reason === 'stopped_by_user' || run.termination_reason === 'aborted_by_user';
  const started =
    submission?.job_provisioning_data && !wasStopped
      ? `\nWhat the agent logged about it: dstack logs -d ${name}${which?.flags ?? ''}`
      : '';
  const noCapacity = reason === 'failed_to_start_due_to_no_capacity';
  const advice = noCapacity ? `\nAll reasons: dstack ps -a -v. To wait for capacity: dstack apply --retry` : '';
  const text = `Run ${name}: ${status}${why.length > 0 ? ` (${why.join('; ')})` : ''}${started}${advice}`;
  return { text, ok: false, exitCode: clamp(exitStatus) };
}

/** One of several, in words and as the flags that select it. */
function jobOf({ job_spec: spec }: Wire.Job): { readonly words: string; readonly flags: string } {
  const replica = spec.replica_num ?? 0;
  return {
    words: replica === 0 ? `job=${spec.job_num}` : `replica=${replica} job=${spec.job_num}`,
    flags: `${replica === 0 ? '' : ` --replica ${replica}`} --job ${spec.job_num}`,
  };
}

function clamp(exitStatus: number | null): number {
  if (exitStatus === null || exitStatus === 0) return EXIT_FAILURE;
  return exitStatus >= 1 && exitStatus <= 255 ? exitStatus : EXIT_FAILURE;
}
