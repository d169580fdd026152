import { describe, expect, it } from '@jest/globals';
import { decideJob } from './decide-job.js';
import type {
  ActiveJob,
  AgentJob,
  FailedStart,
  JobHost,
  JobSnapshot,
  ProvisioningJob,
  SubmittedJob,
  TerminatingJob,
} from './job-snapshot.js';
import { LIMITS } from './limits.js';

const T = 1_000_000_000;
const MIN = 60_000;

const host = (over: Partial<JobHost> = {}): JobHost => ({
  unreachableLimitMs: LIMITS.unreachableJobMs,
  instanceId: 'i',
  status: 'busy',
  isSpot: false,
  connectedSince: T,
  unreachableSince: null,
  hasEnded: false,
  provisioningLimitMs: 10 * MIN,
  terminationMessage: null,
  foundNoCapacity: false,
  failedStart: null,
  ...over,
});
const base = { id: 'j', submittedAt: T, statusChangedAt: T };
const submitted = (over: Partial<SubmittedJob> = {}): SubmittedJob => ({
  ...base,
  status: 'submitted',
  waitsForMaster: false,
  host: null,
  ...over,
});
const provisioning = (over: Partial<ProvisioningJob> = {}): ProvisioningJob => ({
  ...base,
  status: 'provisioning',
  host: host(),
  runtime: 'process',
  agent: null,
  waitsFor: null,
  needsRouter: false,
  startError: null,
  volumeError: null,
  isTimed: false,
  ...over,
});
const lacksRouter = (): ProvisioningJob =>
  provisioning({ needsRouter: true, waitsFor: 'its router has no address yet' });
const active = (over: Partial<ActiveJob> = {}): ActiveJob => ({
  ...base,
  status: 'running',
  host: host(),
  agent: { phase: 'running', runningAt: T },
  disconnectedAt: null,
  isTimed: false,
  maxDurationMs: null,
  inactivityLimitSeconds: null,
  underUtilised: null,
  ...over,
});
const terminating = (over: Partial<TerminatingJob> = {}): TerminatingJob => ({
  ...base,
  status: 'terminating',
  host: host(),
  agent: { phase: 'running', runningAt: T },
  reason: 'terminated_by_user',
  stop: { mode: 'graceful', requestedAt: T, graceMs: 5 * MIN, sent: null },
  volumes: 'none',
  logOffsets: { job: -1, runner: -1 },
  ...over,
});
const finished = (over: Partial<AgentJob> = {}): AgentJob => ({
  phase: 'finished',
  exitStatus: 0,
  reason: 'done_by_runner',
  finishedAt: T,
  logEnd: { job: 10, runner: 2 },
  ...over,
});
const graceful = { mode: 'graceful', requestedAt: T, graceMs: 5 * MIN } as const;

type Expected = {
  readonly status: string;
  readonly reason?: string;
  readonly effects?: readonly string[];
  readonly dueAt?: number | null;
};

function outcome(job: JobSnapshot, now: number): Expected {
  const { status, changes, effects, dueAt } = decideJob(job, now);
  return { status, reason: changes.reason ?? '', effects: effects.map((effect) => effect.do), dueAt };
}

describe('a submitted job', () => {
  it.each<[string, SubmittedJob, number, Expected]>([
    ['waits for placement', submitted(), T, { status: 'submitted', dueAt: T + LIMITS.placementMs }],
    ['is given up when placement never comes', submitted(), T + LIMITS.placementMs, { status: 'terminating', reason: 'failed_to_start_due_to_no_capacity' }],
    ['waits for its master without a deadline of its own', submitted({ waitsForMaster: true }), T + LIMITS.placementMs, { status: 'submitted', dueAt: null }],
    ['waits while its machine is made', submitted({ host: host({ status: 'launching' }) }), T, { status: 'submitted', dueAt: T + LIMITS.launchMs }],
    ['does not wait for a machine for ever', submitted({ host: host({ status: 'pending' }) }), T + LIMITS.launchMs, { status: 'terminating', reason: 'waiting_instance_limit_exceeded' }],
    ['goes on when the machine exists', submitted({ host: host({ status: 'provisioning' }) }), T, { status: 'provisioning', dueAt: T }],
    ['fails for capacity when no offer worked', submitted({ host: host({ status: 'terminated', foundNoCapacity: true }) }), T, { status: 'terminating', reason: 'failed_to_start_due_to_no_capacity' }],
    ['fails when its machine was lost for good', submitted({ host: host({ status: 'terminated' }) }), T, { status: 'terminating', reason: 'waiting_instance_limit_exceeded' }],
    ['fails when its machine was lost', submitted({ host: host({ status: 'terminating' }) }), T, { status: 'terminating', reason: 'waiting_instance_limit_exceeded' }],
  ])('%s', (_rule, job, now, expected) => expect(outcome(job, now)).toMatchObject(expected)); // prettier-ignore
});

describe('a job on its host, before its commands run', () => {
  it.each<[string, ProvisioningJob, number, Expected]>([
    ['is sent to the agent', provisioning(), T, { status: 'provisioning', effects: ['start'], dueAt: T + LIMITS.agentRetryMs }],
    ['waits for the agent', provisioning({ host: host({ connectedSince: null }) }), T, { status: 'provisioning', effects: [] }],
    ['waits for its peers', provisioning({ waitsFor: 'other nodes have no address yet' }), T, { status: 'provisioning', effects: [] }],
    ['looks for its router from time to time', lacksRouter(), T, { status: 'provisioning', effects: [], dueAt: T + LIMITS.routerLookMs }],
    ['waits longer for its router than for its agent', lacksRouter(), T + 29 * MIN, { status: 'provisioning', effects: [] }],
    ['does not wait for its router for ever', lacksRouter(), T + 30 * MIN, { status: 'terminating', reason: 'waiting_runner_limit_exceeded' }],
    ['may still begin when its router was long in coming', provisioning({ needsRouter: true }), T + 29 * MIN, { status: 'provisioning', effects: ['start'] }],
    ['has as long as any for its agent when it came late itself', provisioning({ needsRouter: true, submittedAt: T - 60 * MIN }), T, { status: 'provisioning', effects: ['start'] }],
    ['is given up when the agent never answers', provisioning({ host: host({ connectedSince: null }) }), T + 20 * MIN, { status: 'terminating', reason: 'waiting_runner_limit_exceeded' }],
    ['ends when a volume cannot be attached', provisioning({ volumeError: 'volume data is in use' }), T, { status: 'terminating', reason: 'volume_error' }],
    ['ends when nobody can start it', provisioning({ startError: 'no such secret' }), T, { status: 'terminating', reason: 'terminated_by_server' }],
    ['pulls in a container', provisioning({ runtime: 'container', agent: { phase: 'pulling' } }), T, { status: 'pulling' }],
    ['is not sent twice while a process is prepared', provisioning({ agent: { phase: 'preparing' } }), T, { status: 'provisioning', effects: [] }],
    ['is sent again while its uploads are missing', provisioning({ agent: { phase: 'waiting' } }), T, { status: 'provisioning', effects: ['start'] }],
    ['runs', provisioning({ agent: { phase: 'running', runningAt: T } }), T, { status: 'running' }],
    ['may be over before anybody saw it run', provisioning({ agent: finished() }), T, { status: 'terminating', reason: 'done_by_runner' }],
    ['fails without its machine', provisioning({ host: null }), T, { status: 'terminating', reason: 'waiting_instance_limit_exceeded' }],
    ['is not sent to an agent that is not there, whatever is missing', provisioning({ agent: { phase: 'waiting' }, host: host({ connectedSince: null }) }), T, { status: 'provisioning', effects: [] }],
    ['fails with its machine', provisioning({ host: host({ status: 'terminated' }) }), T, { status: 'terminating', reason: 'waiting_instance_limit_exceeded' }],
  ])('%s', (_rule, job, now, expected) => expect(outcome(job, now)).toMatchObject(expected)); // prettier-ignore
});

describe('a job whose machine failed to start', () => {
  const failed = (over: Partial<FailedStart> = {}) =>
    host({ status: 'terminating', connectedSince: null, terminationMessage: 'no boot', failedStart: { machineName: 'm', failedMachines: 1, kind: 'hosts', tie: null, ...over } });
  it.each<[string, JobHost, Expected]>([
    ['goes to the next offer', failed(), { status: 'submitted', dueAt: T + LIMITS.launchMs }],
    ['however often that fails', failed({ failedMachines: 24 }), { status: 'submitted' }],
    ['stays with what cannot follow it', failed({ tie: 'the other nodes know its address' }), { status: 'terminating', reason: 'waiting_instance_limit_exceeded' }],
    ['a container is tried again', failed({ kind: 'containers', failedMachines: 2 }), { status: 'submitted' }],
    ['but not everywhere', failed({ kind: 'containers', failedMachines: 3 }), { status: 'terminating', reason: 'waiting_instance_limit_exceeded' }],
  ])('%s', (_rule, at, expected) => {
    expect(outcome(provisioning({ host: at }), T)).toMatchObject(expected);
    expect(outcome(submitted({ host: at }), T)).toMatchObject(expected);
  });

  it('says why, and that it asks for another machine', () => {
    const { because, changes } = decideJob(provisioning({ host: failed() }), T);
    expect(because).toBe('m failed to start: no boot; the next offer is tried');
    expect(changes).toEqual({ nextOffer: true });
  });
}); // prettier-ignore

describe('a pulling or running job', () => {
  it.each<[string, ActiveJob, number, Expected]>([
    ['needs no look while nothing happens', active(), T, { status: 'running', effects: [], dueAt: null }],
    ['has a deadline on its pull', active({ status: 'pulling', agent: { phase: 'pulling' } }), T, { status: 'pulling', dueAt: T + LIMITS.pullMs }],
    ['is given up when the container never starts', active({ status: 'pulling', agent: { phase: 'pulling' } }), T + LIMITS.pullMs, { status: 'terminating', reason: 'waiting_runner_limit_exceeded' }],
    ['runs after the pull', active({ status: 'pulling' }), T, { status: 'running' }],
    ['survives a short disconnection', active({ host: host({ unreachableSince: T }) }), T + MIN, { status: 'running', dueAt: T + 2 * MIN }],
    ['fails on a host nobody reaches', active({ host: host({ unreachableSince: T }) }), T + 2 * MIN, { status: 'terminating', reason: 'instance_unreachable' }],
    ['counts a lost spot host as interruption', active({ host: host({ unreachableSince: T, isSpot: true }) }), T + 2 * MIN, { status: 'terminating', reason: 'interrupted_by_no_capacity' }],
    ['counts the end of a spot machine as interruption', active({ host: host({ status: 'terminating', isSpot: true }) }), T, { status: 'terminating', reason: 'interrupted_by_no_capacity' }],
    ['fails without its host', active({ host: null }), T, { status: 'terminating', reason: 'instance_unreachable' }],
    ['counts from the first of the two that were lost', active({ disconnectedAt: T, host: host({ unreachableSince: T + MIN }) }), T + 2 * MIN, { status: 'terminating', reason: 'instance_unreachable' }],
    ['is over while it pulls, too', active({ status: 'pulling', agent: finished({ exitStatus: 1, reason: 'creating_container_error' }) }), T, { status: 'terminating', reason: 'creating_container_error' }],
    ['is done by its exit code when the agent gives no reason', active({ agent: finished({ reason: undefined }) }), T, { status: 'terminating', reason: 'done_by_runner' }],
    ['is failed by it as well', active({ agent: finished({ reason: undefined, exitStatus: 3 }) }), T, { status: 'terminating', reason: 'container_exited_with_error' }],
    ['is looked at every minute for its utilisation', active({ underUtilised: false }), T, { status: 'running', dueAt: T + LIMITS.utilisationCheckMs }],
    ['does not end before its inactivity is long enough', active({ inactivityLimitSeconds: 60, agent: { phase: 'running', noConnectionsSeconds: 59 } }), T, { status: 'running' }],
    ['fails when its host is terminated', active({ host: host({ status: 'terminating' }) }), T, { status: 'terminating', reason: 'instance_unreachable' }],
    ['prefers its own end to that of its host', active({ agent: finished(), host: host({ status: 'terminating' }) }), T, { status: 'terminating', reason: 'done_by_runner' }],
    ['tells a failed command', active({ agent: finished({ exitStatus: 2, reason: 'container_exited_with_error' }) }), T, { status: 'terminating', reason: 'container_exited_with_error' }],
    ['leaves max_duration to the agent first', active({ maxDurationMs: MIN }), T + MIN, { status: 'running', dueAt: T + 11 * MIN }],
    ['counts max_duration by its own clock', active({ maxDurationMs: MIN, agent: { phase: 'running', runningAt: T - 60 * MIN } }), T + MIN, { status: 'running', dueAt: T + 11 * MIN }],
    ['does not end a job early because the clock was set right by minutes', active({ maxDurationMs: MIN }), T + 10 * MIN, { status: 'running' }],
    ['enforces max_duration when the agent does not', active({ maxDurationMs: MIN }), T + 11 * MIN, { status: 'terminating', reason: 'max_duration_exceeded' }],
    ['ends for inactivity', active({ inactivityLimitSeconds: 60, agent: { phase: 'running', noConnectionsSeconds: 61 } }), T, { status: 'terminating', reason: 'inactivity_duration_exceeded' }],
    ['ends for low utilisation', active({ underUtilised: true }), T, { status: 'terminating', reason: 'terminated_due_to_utilization_policy' }],
  ])('%s', (_rule, job, now, expected) => expect(outcome(job, now)).toMatchObject(expected)); // prettier-ignore
});

describe('a terminating job', () => {
  const kill = { mode: 'kill', requestedAt: T, graceMs: 5 * MIN, sent: null } as const;
  const killAt = T + 5 * MIN + LIMITS.killMarginMs;
  it.each<[string, TerminatingJob, number, Expected]>([
    ['is asked to stop, with its whole stop_duration', terminating(), T, { status: 'terminating', effects: ['stop'] }],
    ['is asked once', terminating({ stop: { ...graceful, sent: 'graceful' } }), T, { status: 'terminating', effects: [], dueAt: killAt }],
    ['is killed after stop_duration', terminating({ stop: { ...graceful, sent: 'graceful' } }), killAt, { status: 'terminating', effects: ['stop'] }],
    ['is never killed with stop_duration: off', terminating({ stop: { ...graceful, graceMs: null, sent: 'graceful' } }), T + 1000 * MIN, { status: 'terminating', effects: [], dueAt: null }],
    ['is killed at once when aborted', terminating({ stop: kill }), T, { status: 'terminating', effects: ['stop'] }],
    ['is told of the kill once', terminating({ stop: { ...kill, sent: 'kill' } }), T, { status: 'terminating', effects: [], dueAt: T + LIMITS.killConfirmMs }],
    ['is given up with a host nobody reaches', terminating({ host: host({ connectedSince: null, unreachableSince: T }) }), T + 10 * MIN, { status: 'terminated', effects: [] }],
    ['waits for no word from the host whose silence ended it', terminating({ stop: kill, reason: 'instance_unreachable', host: host({ connectedSince: null, unreachableSince: T, unreachableLimitMs: 5_000 }) }), T + 5_000, { status: 'failed', effects: [] }],
    ['is given up when the agent never confirms the kill', terminating({ stop: { ...kill, sent: 'kill' } }), T + LIMITS.killConfirmMs, { status: 'terminated', effects: ['remove'] }],
    ['waits for the end of its log', terminating({ agent: finished(), logOffsets: { job: 5, runner: 2 } }), T, { status: 'terminating', effects: [], dueAt: T + LIMITS.logDrainMs }],
    ['is final when its log is durable', terminating({ agent: finished(), logOffsets: { job: 10, runner: 2 } }), T, { status: 'terminated', effects: ['remove'] }],
    ['sees even an empty log to its end', terminating({ agent: finished({ logEnd: { job: 0, runner: 0 } }) }), T, { status: 'terminating', effects: [] }],
    ['does not wait for its log for ever, and has its host keep the rest', terminating({ agent: finished() }), T + LIMITS.logDrainMs, { status: 'terminated', effects: [], dueAt: T + LIMITS.logDrainMs }],
    ['counts the wait from when it could have been seen', terminating({ agent: finished(), host: host({ connectedSince: T + 20 * MIN }) }), T + 20 * MIN, { status: 'terminating', dueAt: T + 20 * MIN + LIMITS.logDrainMs }],
    ['does not count it anew for ever', terminating({ agent: finished(), host: host({ connectedSince: T + 29 * MIN }) }), T + 29 * MIN, { status: 'terminating', dueAt: T + 30 * MIN }],
    ['has a moment with a host that was away for long', terminating({ agent: finished(), host: host({ connectedSince: T + 60 * MIN }) }), T + 60 * MIN, { status: 'terminating', dueAt: T + 61 * MIN }],
    ['waits for a server that has just come back', terminating({ agent: finished(), host: host({ connectedSince: null }) }), T + 60 * MIN, { status: 'terminating' }],
    ['ends with a host that is gone', terminating({ host: host({ status: 'terminated' }) }), T, { status: 'terminated', effects: [] }],
    ['waits for no word from a host that its cloud has stopped', terminating({ stop: kill, reason: 'interrupted_by_no_capacity', host: host({ hasEnded: true, connectedSince: null, unreachableSince: T }) }), T, { status: 'failed', effects: [] }],
    ['is still heard of by a host that its cloud is stopping', terminating({ agent: finished(), host: host({ hasEnded: true }) }), T, { status: 'terminating', dueAt: T + LIMITS.logDrainMs }],
    ['ends at once when it never had a host', terminating({ host: null, agent: null, reason: 'failed_to_start_due_to_no_capacity' }), T, { status: 'failed', effects: [] }],
    ['is removed even if its start was never confirmed', terminating({ agent: null }), T, { status: 'terminated', effects: ['remove'] }],
    ['is aborted, not terminated, after an abort', terminating({ host: null, reason: 'aborted_by_user' }), T, { status: 'aborted' }],
    ['is done after its own end', terminating({ agent: finished(), logOffsets: { job: 10, runner: 2 }, reason: 'done_by_runner' }), T, { status: 'done' }],
  ])('%s', (_rule, job, now, expected) => expect(outcome(job, now)).toMatchObject(expected)); // prettier-ignore

  it('tells when the end of its log is lost with its host', () => {
    const lost = terminating({ agent: finished(), host: host({ status: 'terminated' }), logOffsets: { job: 5, runner: 2 } });
    expect(decideJob(lost, T).changes.message).toBe('the end of the log could not be fetched from the host');
  }); // prettier-ignore

  it.each<[string, Partial<TerminatingJob>, true | undefined]>([
    ['when the server could not take it in time', { agent: finished() }, true],
    ['when only what the agent itself wrote is missing', { agent: finished(), logOffsets: { job: 10, runner: 1 } }, true],
    ['when its host is gone', { agent: finished(), host: host({ status: 'terminated' }) }, true],
    ['not when it is all here', { agent: finished(), logOffsets: { job: 10, runner: 2 } }, undefined],
    ['not when the agent never said how long it is', { agent: null }, undefined],
  ])('owes the end of its log %s', (_when, over, owesLog) => {
    expect(decideJob(terminating(over), T + LIMITS.logDrainMs).changes.owesLog).toBe(owesLog);
  }); // prettier-ignore

  it('says no message of a log that is still to be taken, as nothing is lost yet', () => {
    const { changes, because } = decideJob(terminating({ agent: finished() }), T + LIMITS.logDrainMs);
    expect(changes.message).toBeUndefined();
    expect(because).toBe('terminated_by_user: the rest of its log is still to be taken from its host');
  });

  it('gives its host back with the final status, and never before', () => {
    const draining = decideJob(terminating({ agent: finished() }), T);
    const final = decideJob(terminating({ agent: finished(), logOffsets: { job: 10, runner: 2 } }), T);
    expect([draining.changes.release, final.changes.release]).toEqual([undefined, true]);
  });

  it('keeps the reason of a lost host, and says its own of one that does not confirm', () => {
    const silent = { connectedSince: null, unreachableSince: T, unreachableLimitMs: 5_000 };
    const message = (reason: TerminatingJob['reason']) =>
      decideJob(terminating({ stop: kill, reason, host: host(silent) }), T + 10 * MIN).changes.message;
    expect(message('instance_unreachable')).toBeUndefined();
    expect(message('interrupted_by_no_capacity')).toBeUndefined();
    expect(message('aborted_by_user')).toBe('the agent did not confirm the end of the job');
  });
});

it.each(['terminated', 'aborted', 'failed', 'done'] as const)('a job that is %s stays so', (status) => {
  const expected = { status, changes: {}, effects: [], dueAt: null, because: null };
  expect(decideJob({ ...base, status, owedLog: null }, T)).toEqual(expected);
});

describe('a job that mounts volumes, when it ends', () => {
  const ended = (over: Partial<TerminatingJob> = {}) =>
    terminating({ agent: finished(), logOffsets: { job: 10, runner: 2 }, ...over });

  it('gives them up once its host has forgotten it, and keeps its machine', () => {
    const decision = decideJob(ended({ volumes: 'held' }), T);
    expect(decision).toMatchObject({ status: 'terminating', effects: [{ do: 'remove' }], dueAt: null });
    expect(decision.changes).toEqual({ releaseVolumes: true });
  });
  it('waits until they have left', () => {
    expect(decideJob(ended({ volumes: 'leaving' }), T)).toMatchObject({
      status: 'terminating',
      effects: [],
      dueAt: null,
    });
  });
  it('is over when they have', () => {
    expect(decideJob(ended(), T)).toMatchObject({ status: 'terminated', changes: { release: true } });
  });
  it('gives them up when its machine is lost, too', () => {
    expect(decideJob(ended({ host: null, volumes: 'held' }), T).changes).toEqual({ releaseVolumes: true });
  });
  it('gives them up without its log, which its host keeps', () => {
    const late = decideJob(ended({ volumes: 'held', logOffsets: { job: 5, runner: 2 } }), T + LIMITS.logDrainMs);
    expect(late).toMatchObject({ status: 'terminating', effects: [], changes: { releaseVolumes: true } });
  });
  it('holds them while its commands run', () => {
    expect(decideJob(terminating({ volumes: 'held' }), T).changes).toEqual({});
  });
});
