import type { Wire } from '@dstack/core';
import { isFinalJobStatus, isFinalRunStatus } from '@dstack/sdk';
import type { Paint, Style } from '../terminal/style.js';

/** The server's words for the state of a run. */
export function runStatusText(run: Wire.Run): string {
  const only = run.jobs.length === 1 ? run.jobs[0]?.job_submissions.at(-1) : undefined;
  if (only && isFinalRunStatus(run.status) && only.status_message) return only.status_message;
  if (only?.image_pull_progress && only.status === 'pulling') return `pulling ${pullText(only.image_pull_progress)}`;
  return run.status_message || run.status;
}

export function jobStatusText(submission: Wire.JobSubmission): string {
  if (submission.image_pull_progress && submission.status === 'pulling')
    return `pulling ${pullText(submission.image_pull_progress)}`;
  return submission.status_message || submission.status;
}

/** `310/512/≥4200MB`: extracted, downloaded, total. */
export function pullText(progress: Wire.ImagePullProgress): string {
  const gigabytes = progress.total_bytes >= 10e9;
  const size = (bytes: number) => (gigabytes ? (bytes / 1e9).toFixed(1) : String(Math.round(bytes / 1e6)));
  const total = `${progress.is_total_bytes_final ? '' : '≥'}${size(progress.total_bytes)}${gigabytes ? 'GB' : 'MB'}`;
  return `${size(progress.extracted_bytes)}/${size(progress.downloaded_bytes)}/${total}`;
}

/** Colour by the words, bold while it goes on. */
export function statusPaint(text: string, finished: boolean, style: Style): Paint {
  const colour = colourOf(text, style);
  return finished ? colour : (each) => style.bold(colour(each));
}

function colourOf(text: string, style: Style): Paint {
  if (/^(provisioning|terminating)/.test(text)) return style.info;
  if (/^(pulling|running)/.test(text)) return style.success;
  if (/^(no capacity|interrupted)/.test(text)) return style.warning;
  if (/^(submitted|exited \(0\)|done|stopped|aborted|terminated)/.test(text)) return style.secondary;
  if (/^(exited|error|no fleets|failed)/.test(text)) return style.error;
  return style.plain;
}

export function isFinished(status: Wire.RunStatus | Wire.JobStatus): boolean {
  return isFinalRunStatus(status as Wire.RunStatus) || isFinalJobStatus(status as Wire.JobStatus);
}
