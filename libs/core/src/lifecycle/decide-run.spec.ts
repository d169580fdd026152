import { describe, expect, it } from '@jest/globals';
import { decideRun } from './decide-run.js';
import { LIMITS } from './limits.js';
import type { ActiveRun, PendingRun, RunJob, RunSnapshot, TerminatingRun } from './run-snapshot.js';

const T = 1_000_000_000;
const retry = { on_events: ['no-capacity', 'interruption', 'error'] as const, duration: 3600 };
const job = (over: Partial<RunJob> = {}): RunJob => ({
  id: 'j', replicaNum: 0, jobNum: 0, submissionNum: 0, deploymentNum: 0, status: 'running', reason: null, stopMode: null,
  submittedAt: T, finishedAt: null, lastProvisionedEndAt: null, retry: null, ...over,
}); // prettier-ignore
const base = { id: 'r', submittedAt: T, startedAt: T, statusChangedAt: T, isScheduled: false, resubmissionAttempt: 0 };
const run = (jobs: RunJob[], over: Partial<ActiveRun> = {}): ActiveRun => ({
  ...base, status: 'running', jobs, stopCriteria: 'all-done', deploymentNum: 0, service: null, ...over,
}); // prettier-ignore
const pending = (over: Partial<PendingRun> = {}): PendingRun => ({
  ...base,
  status: 'pending',
  jobs: [],
  resumeAt: null,
  nextTriggeredAt: null,
  service: null,
  ...over,
});
const ending = (jobs: RunJob[], over: Partial<TerminatingRun> = {}): TerminatingRun => ({
  ...base, status: 'terminating', jobs, reason: 'stopped_by_user', nextFireAt: null, ...over,
}); // prettier-ignore
const failed = (over: Partial<RunJob> = {}): RunJob =>
  job({ status: 'failed', reason: 'container_exited_with_error', finishedAt: T, lastProvisionedEndAt: T, ...over });
const noCapacity = (over: Partial<RunJob> = {}): RunJob =>
  job({ status: 'failed', reason: 'failed_to_start_due_to_no_capacity', finishedAt: T, ...over });
const spec = { ...retry, on_events: [...retry.on_events] };

type Expected = { status: string; reason?: string; effects?: object[]; dueAt?: number | null };

describe('an active run', () => {
  it.each<[string, RunSnapshot, number, Expected]>([
    ['is what its most advanced job is', run([job(), job({ id: 'k', jobNum: 1, status: 'submitted' })], { status: 'submitted' }), T, { status: 'running' }],
    ['is provisioning while jobs pull', run([job({ status: 'pulling' })], { status: 'submitted' }), T, { status: 'provisioning' }],
    ['ends when all jobs are done', run([job({ status: 'done', reason: 'done_by_runner' })]), T, { status: 'terminating', reason: 'all_jobs_done', effects: [] }],
    ['goes on until the last job is done', run([job({ status: 'done' }), job({ id: 'k', jobNum: 1 })]), T, { status: 'running' }],
    ['ends with its master when asked to', run([job({ status: 'done' }), job({ id: 'k', jobNum: 1 })], { stopCriteria: 'master-done' }), T, { status: 'terminating', reason: 'all_jobs_done', effects: [{ do: 'terminate-jobs', jobIds: ['k'] }] }],
    ['fails with one job that may not be retried', run([failed(), job({ id: 'k', jobNum: 1 })]), T, { status: 'terminating', reason: 'job_failed', effects: [{ do: 'terminate-jobs', jobIds: ['k'], reason: 'terminated_by_server' }] }],
    ['waits before it tries again', run([failed({ retry: spec })]), T, { status: 'pending', effects: [], dueAt: T + 15_000 }],
    ['waits longer each time', run([failed({ retry: spec })], { resubmissionAttempt: 2 }), T, { status: 'pending', dueAt: T + 60_000 }],
    ['stops trying after the retry duration', run([failed({ retry: spec })]), T + 3_601_000, { status: 'terminating', reason: 'retry_limit_exceeded' }],
    ['is retried for capacity before it ever had a machine', run([noCapacity({ retry: spec })], { status: 'submitted' }), T, { status: 'pending' }],
    ['is not retried for an error before it ever had a machine', run([failed({ retry: spec, lastProvisionedEndAt: null })]), T, { status: 'terminating', reason: 'job_failed' }],
    ['ends the nodes that are left before it resubmits a replica', run([job({ replicaNum: 1 }), failed({ id: 'k', replicaNum: 0, retry: spec }), job({ id: 'l', replicaNum: 0, jobNum: 1 })]), T, { status: 'running', effects: [{ do: 'terminate-jobs', jobIds: ['l'] }] }],
    ['is failed by a job that may not be retried, whatever ran out of retries', run([failed({ retry: spec }), failed({ id: 'k', replicaNum: 1 })]), T + 3_601_000, { status: 'terminating', reason: 'job_failed' }],
    ['retries all nodes of a replica: those that run are ended first', run([failed({ retry: spec }), job({ id: 'k', jobNum: 1 })]), T, { status: 'pending', effects: [{ do: 'terminate-jobs', jobIds: ['k'], reason: 'terminated_by_server', mode: 'graceful' }] }],
    ['is failed by a job that the server ended, whatever the others', run([failed({ retry: spec }), job({ id: 'k', jobNum: 1, status: 'terminated', reason: 'terminated_by_server', retry: spec })]), T, { status: 'terminating', reason: 'job_failed' }],
    ['is not ended by a done replica while another is retried', run([job({ status: 'done' }), failed({ id: 'k', replicaNum: 1, retry: spec })]), T, { status: 'pending' }],
    ['counts a job that ended well as done before it has let go', run([job({ status: 'terminating', reason: 'done_by_runner' })]), T, { status: 'terminating', reason: 'all_jobs_done' }],
    ['goes back to what its jobs are', run([job({ status: 'submitted' })]), T, { status: 'submitted' }],
    ['waits for nothing without a look', run([job()]), T, { status: 'running', effects: [], dueAt: T + LIMITS.runCheckMs }],
    ['marks its jobs with an update that changed nothing for them', run([job()], { deploymentNum: 1 }), T, { status: 'running', effects: [{ do: 'bump-deployment', jobIds: ['j'], deploymentNum: 1 }] }],
  ])('%s', (_rule, snapshot, now, expected) => expect(outcome(snapshot, now)).toMatchObject(expected)); // prettier-ignore
});

describe('a pending run', () => {
  it.each<[string, RunSnapshot, number, Expected]>([
    ['waits for its retry', pending({ jobs: [failed()], resumeAt: T + 1 }), T, { status: 'pending', dueAt: T + 1 }],
    ['tries again', pending({ jobs: [failed()], resumeAt: T }), T, { status: 'submitted', effects: [{ do: 'submit-replicas', replicas: [{ num: 0, group: null }] }] }],
    ['waits until its old jobs have let go', pending({ jobs: [job({ status: 'terminating' })], resumeAt: T }), T, { status: 'pending', effects: [] }],
    ['fires by schedule', pending({ nextTriggeredAt: T }), T, { status: 'submitted', effects: [{ do: 'submit-replicas', replicas: [{ num: 0, group: null }] }] }],
  ])('%s', (_rule, snapshot, now, expected) => expect(outcome(snapshot, now)).toMatchObject(expected)); // prettier-ignore
});

describe('a terminating run', () => {
  it.each<[string, RunSnapshot, number, Expected]>([
    ['tells its jobs', ending([job()]), T, { status: 'terminating', effects: [{ do: 'terminate-jobs', jobIds: ['j'], reason: 'terminated_by_user', mode: 'graceful' }] }],
    ['tells them once', ending([job({ status: 'terminating', stopMode: 'graceful' })]), T, { status: 'terminating', effects: [] }],
    ['takes the grace period away when aborted', ending([job({ status: 'terminating', stopMode: 'graceful' })], { reason: 'aborted_by_user' }), T, { status: 'terminating', effects: [{ do: 'terminate-jobs', mode: 'kill', reason: 'aborted_by_user' }] }],
    ['is terminated after a stop', ending([job({ status: 'terminated' })]), T, { status: 'terminated' }],
    ['is failed after a failure', ending([failed()], { reason: 'job_failed' }), T, { status: 'failed' }],
    ['waits for its next fire', ending([job({ status: 'done' })], { reason: 'all_jobs_done', nextFireAt: T + 5 }), T, { status: 'pending', dueAt: T + 5 }],
    ['has no next fire when a user stopped it', ending([job({ status: 'terminated' })], { nextFireAt: T + 5 }), T, { status: 'terminated' }],
  ])('%s', (_rule, snapshot, now, expected) => expect(outcome(snapshot, now)).toMatchObject(expected)); // prettier-ignore
});

it('starts to count retries anew once the run has been running for a while, and not before', () => {
  const again = (status: RunJob['status'], now: number): object =>
    decideRun(run([job({ status })], { status: 'running', resubmissionAttempt: 3 }), now).changes;
  expect([again('submitted', T), again('running', T), again('provisioning', T + LIMITS.stableRunMs)]).toEqual([{}, {}, {}]);
  expect(again('running', T + LIMITS.stableRunMs)).toEqual({ resubmissionAttempt: 0 });
}); // prettier-ignore

it.each([
  ['a retry', decideRun(run([failed({ retry: spec })]), T)],
  ['a schedule', decideRun(ending([job({ status: 'done' })], { reason: 'all_jobs_done', nextFireAt: T + 5 }), T)],
])('%s may choose another fleet', (_what, { changes }) => expect(changes.leaveFleet).toBe(true));

it.each(['terminated', 'failed', 'done'] as const)('a run that is %s stays so', (status) => {
  expect(decideRun({ ...base, status, jobs: [] }, T)).toEqual({ status, changes: {}, effects: [], dueAt: null, because: null });
}); // prettier-ignore

function outcome(snapshot: RunSnapshot, now: number): Expected {
  const { status, effects, changes, dueAt } = decideRun(snapshot, now);
  return { status, effects: [...effects], dueAt, ...(changes.reason === undefined ? {} : { reason: changes.reason }) };
}
