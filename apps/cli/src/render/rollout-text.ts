import { isFinalJobStatus, type Wire } from '@dstack/sdk';
import { pendingReasons } from './pending-reasons.js';
import { deploymentNote, hasReadyReplica } from './service-text.js';

/** Replicas of an earlier configuration are still there. Pure. */
export function isRollingOut(run: Wire.Run): boolean {
  if (run.run_spec.configuration.type !== 'service') return false;
  return run.jobs.some((job) => !isOfNow(job, run));
}

export interface Rollout {
  readonly text: string;
  readonly isOver: boolean;
}

/** How far an update of a service has come: replicas of the new configuration take the place of old ones, one after the other. Pure. */
export function rollout(run: Wire.Run): Rollout {
  const name = run.run_spec.run_name ?? '';
  const note = deploymentNote(run);
  if (note !== undefined) return { text: `Service ${name}: ${note}`, isOver: true };
  const active = run.jobs.filter((job) => !isFinalJobStatus(job.job_submissions.at(-1)?.status ?? 'submitted'));
  const old = active.filter((job) => !isOfNow(job, run)).length;
  const ready = active.filter((job) => isOfNow(job, run) && hasReadyReplica({ ...run, jobs: [job] })).length;
  if (old === 0 && ready > 0 && ready === active.length) return { text: `Service ${name} is updated.`, isOver: true };
  const reasons = pendingReasons(run).map((reason) => `\n - ${reason}`);
  const waits = reasons.length === 0 ? '' : `; the next new one has no capacity yet:${reasons.join('')}`;
  return { text: `Updating ${name}: new replicas ready: ${ready}, old ones left: ${old}${waits}`, isOver: false };
}

function isOfNow(job: Wire.Job, run: Wire.Run): boolean {
  return (job.job_submissions.at(-1)?.deployment_num ?? 0) === (run.deployment_num ?? 0);
}
