import type { Wire } from '@dstack/core';
import { selectSubmission } from '@dstack/sdk';
import { backendName } from './backend.js';
import { runStatusText, jobStatusText } from './run-status.js';

/** What a run is waiting for: `provisioning (local, 1st of 3 offers)`. Pure. */
export function waitingText(run: Wire.Run, plan?: Wire.RunPlan): string {
  if (waitsForRequests(run)) return 'waiting for requests';
  const submission = selectSubmission(run);
  const status = submission && run.status !== 'pending' ? jobStatusText(submission) : runStatusText(run);
  const details =
    run.status === 'pending'
      ? [scheduleText(run) ?? lastAttemptText(submission)]
      : [submission ? placeText(submission, plan) : undefined, jobsText(run)];
  const told = details.filter((detail) => detail !== undefined);
  return told.length === 0 ? status : `${status} (${told.join(', ')})`;
}

/** A service without replicas, because nobody asks for anything. */
function waitsForRequests(run: Wire.Run): boolean {
  if (run.status !== 'pending' || run.run_spec.configuration.type !== 'service') return false;
  return run.jobs.every((job) => job.job_submissions.at(-1)?.termination_reason === 'scaled_down');
}

function scheduleText(run: Wire.Run): string | undefined {
  const next = run.next_triggered_at;
  // While it retries, the time is that of the fire it still works on.
  return next && next > run.last_processed_at ? `next run at ${next}` : undefined;
}

/** Why a run that will be tried again is not running. */
function lastAttemptText(submission: Wire.JobSubmission | undefined): string | undefined {
  if (submission === undefined) return undefined;
  const attempts = submission.submission_num + 1;
  return `${attempts === 1 ? 'last attempt' : `last of ${attempts} attempts`}: ${jobStatusText(submission)}`;
}

function placeText(submission: Wire.JobSubmission, plan: Wire.RunPlan | undefined): string | undefined {
  const provisioned = submission.job_provisioning_data;
  const offers = plan?.job_plans[0];
  if (!provisioned) {
    if (submission.status !== 'submitted' || !offers) return undefined;
    return offers.total_offers === 0
      ? 'no offers fit yet'
      : `choosing among ${offers.total_offers} ${offers.total_offers === 1 ? 'offer' : 'offers'}`;
  }
  const index = offers?.offers.findIndex(
    (offer) =>
      offer.backend === provisioned.backend &&
      offer.region === provisioned.region &&
      offer.instance.name === provisioned.instance_type.name,
  );
  const rank =
    offers && offers.total_offers > 1 && index !== undefined && index >= 0
      ? `, ${ordinal(index + 1)} of ${offers.total_offers} offers`
      : '';
  return `${backendName(provisioned)}${rank}`;
}

function jobsText(run: Wire.Run): string | undefined {
  if (run.jobs.length <= 1) return undefined;
  const running = run.jobs.filter((job) => job.job_submissions.at(-1)?.status === 'running').length;
  return `${running} of ${run.jobs.length} jobs running`;
}

export function ordinal(n: number): string {
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${suffix}`;
}
