import { runExitStatus, selectSubmission, type Wire } from '@dstack/sdk';
import { runStatusText } from '../render/run-status.js';
import { EXIT_FAILURE } from '../errors/cli-error.js';

export interface RunEnding {
  readonly text: string;
  readonly ok: boolean;
  readonly exitCode: number;
}

/** How an attached command ends with its run: the job's exit code, or 1 for a failure without one. Pure. */
export function runEnding(run: Wire.Run, name: string): RunEnding {
  const submission = selectSubmission(run);
  const exitStatus = runExitStatus(run);
  if (run.status === 'done') return { text: `Exited (${exitStatus ?? 0})`, ok: true, exitCode: exitStatus ?? 0 };
  const reason = submission?.termination_reason ?? run.termination_reason;
  const why = [
    run.error ?? submission?.error,
    submission?.termination_reason_message,
    reason ? `reason: ${reason}` : undefined,
  ].filter((part, i, all): part is string => typeof part === 'string' && part !== '' && all.indexOf(part) === i);
  const started = submission?.job_provisioning_data ? `\nWhat the agent logged about it: dstack logs -d ${name}` : '';
  const noCapacity = reason === 'failed_to_start_due_to_no_capacity';
  const advice = noCapacity ? `\nAll reasons: dstack ps -a -v. To wait for capacity: dstack apply --retry` : '';
  const text = `Run ${name}: ${runStatusText(run)}${why.length > 0 ? ` (${why.join('; ')})` : ''}${started}${advice}`;
  return { text, ok: false, exitCode: clamp(exitStatus) };
}

function clamp(exitStatus: number | null): number {
  if (exitStatus === null || exitStatus === 0) return EXIT_FAILURE;
  return exitStatus >= 1 && exitStatus <= 255 ? exitStatus : EXIT_FAILURE;
}
