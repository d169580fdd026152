import { expect, it } from '@jest/globals';
import { decideInstance } from './decide-instance.js';
import { type AttemptNews, goOn } from './go-on.js';
import type {
  InstanceSnapshot,
  LiveInstance,
  OpenAttempt,
  PendingHost,
  StartingInstance,
  TerminatingInstance,
  UnlaunchedInstance,
} from './instance-snapshot.js';
import { LIMITS } from './limits.js';

const T = 1_000_000_000;
const MIN = 60_000;
const base = { id: 'i', statusChangedAt: T, busyBlocks: 0 };
const attempt = (over: Partial<OpenAttempt> = {}): OpenAttempt => ({
  attempt: 1,
  createdAt: T,
  idempotency: 'token',
  unknownOutcomes: 0,
  ...over,
});
const pending = (over: Partial<UnlaunchedInstance> = {}): UnlaunchedInstance => ({
  ...base, status: 'pending', given: false, createdAt: T, openAttempt: null, attemptsMade: 0, maxAttempts: 25, noOffersLeft: null,
  unwanted: null, machine: 'none', ...over,
}); // prettier-ignore
const launching = (over: Partial<UnlaunchedInstance> = {}): UnlaunchedInstance =>
  pending({ status: 'launching', openAttempt: attempt(), attemptsMade: 1, ...over });
const host = (over: Partial<PendingHost> = {}): PendingHost => ({
  ...base, status: 'pending', given: true, createdAt: T, isOnboarded: false, problem: null, failedTries: 0, unwanted: null, ...over,
}); // prettier-ignore
const starting = (over: Partial<StartingInstance> = {}): StartingInstance => ({
  ...base, status: 'provisioning', machineState: 'pending', machineMessage: null, connectedSince: null, powerOffAfterMs: null, provisioningLimitMs: 10 * MIN,
  unwanted: null, tenure: 'rented', kind: 'hosts', isOneOfGroup: false, bareHost: null, ...over,
}); // prettier-ignore
const live = (over: Partial<LiveInstance> = {}): LiveInstance => ({
  ...base, status: 'idle', connectedSince: T, unreachableSince: null, machineState: 'ready', machineMessage: null, idleSince: T,
  idleLimitMs: 5 * MIN, fleetSurplus: { machines: Infinity, goFirst: 0 }, unwanted: null, tenure: 'rented', kind: 'hosts', isOneOfGroup: false, replaceAgentAt: null, ...over,
}); // prettier-ignore
const ending = (over: Partial<TerminatingInstance> = {}): TerminatingInstance => ({
  ...base, status: 'terminating', machineGone: false, terminateFailures: 0, nextTerminateAt: null, jobsDraining: false, volumesLeaving: false, groupInUse: false, endMessage: null, tenure: 'rented', ...over,
}); // prettier-ignore

type Expected = { status: string; effects?: string[]; reason?: string; dueAt?: number | null };

it.each<[string, InstanceSnapshot, number, Expected]>([
  ['a new instance looks for an offer', pending(), T, { status: 'pending', effects: ['plan'] }],
  ['an attempt is committed one pass before its create call', pending({ openAttempt: attempt() }), T, { status: 'launching', effects: [] }],
  ['a committed attempt is launched', launching(), T, { status: 'launching', effects: ['launch'] }],
  ['a failed attempt leads to the next offer', launching({ openAttempt: null }), T, { status: 'launching', effects: ['plan'] }],
  ['an unanswered call is repeated with the same token', launching({ openAttempt: attempt({ unknownOutcomes: 1 }) }), T, { status: 'launching', effects: ['launch'] }],
  ['a cloud without tokens is asked what became of it', launching({ openAttempt: attempt({ unknownOutcomes: 1, idempotency: 'lookup' }) }), T, { status: 'launching', effects: ['settle'] }],
  ['a machine that may exist is looked for before it is given up', launching({ openAttempt: attempt({ unknownOutcomes: 1, idempotency: 'lookup' }), unwanted: 'job_finished' }), T, { status: 'launching', effects: ['settle'] }],
  ['an attempt that never gets an answer is cleaned up', launching({ openAttempt: attempt({ unknownOutcomes: 1 }) }), T + LIMITS.attemptMs, { status: 'terminating', reason: 'error' }],
  ['a machine nobody wants any more is given up', launching({ unwanted: 'job_finished' }), T, { status: 'terminating', reason: 'job_finished' }],
  ['a machine nobody wants before anything was asked for is given up', pending({ unwanted: 'terminated_by_user' }), T, { status: 'terminating', reason: 'terminated_by_user' }],
  ['no offer ends it', launching({ openAttempt: null, noOffersLeft: 'all dry' }), T, { status: 'terminating', reason: 'no_offers' }],
  ['too many failed offers end it', launching({ openAttempt: null, attemptsMade: 25 }), T, { status: 'terminating', reason: 'no_offers' }],
  ['a container that starts is asked about like a host', starting({ kind: 'containers', busyBlocks: 1 }), T, { status: 'provisioning', effects: ['poll'] }],
  ['a container whose job has ended before it started is given up', starting({ kind: 'containers' }), T, { status: 'terminating', reason: 'job_finished' }],
  ['a container runs its job', live({ kind: 'containers', status: 'busy', busyBlocks: 1 }), T, { status: 'busy', effects: [] }],
  ['a container ends with its job and is never idle', live({ kind: 'containers', status: 'busy' }), T, { status: 'terminating', reason: 'job_finished' }],
  ['a container whose job was given up for its silence is given up too', live({ kind: 'containers', status: 'busy', unreachableSince: T }), T, { status: 'terminating', reason: 'job_finished' }],
  ['an hour without a machine ends it', pending(), T + LIMITS.launchMs, { status: 'terminating', reason: 'provisioning_timeout' }],
  ['a machine makes it provisioning', launching({ machine: 'starting' }), T, { status: 'provisioning', dueAt: T }],
  ['a machine that is ready is left to the connection', launching({ machine: 'ready' }), T, { status: 'provisioning', dueAt: T + LIMITS.pollMaxMs }],
  ['a young machine is polled often', starting(), T, { status: 'provisioning', effects: ['poll'], dueAt: T + LIMITS.pollMinMs }],
  ['an older one more seldom', starting(), T + MIN, { status: 'provisioning', effects: ['poll'], dueAt: T + MIN + LIMITS.pollMaxMs }],
  ['an agent that answers makes it idle', starting({ connectedSince: T }), T, { status: 'idle' }],
  ['or busy when a job waits', starting({ connectedSince: T, busyBlocks: 1 }), T, { status: 'busy' }],
  ['a machine that never gets ready is given up', starting(), T + 10 * MIN, { status: 'terminating', reason: 'provisioning_timeout' }],
  ['a machine nobody wants while it starts is given up', starting({ unwanted: 'job_finished' }), T, { status: 'terminating', reason: 'job_finished' }],
  ['a machine that vanishes while it starts is given up', starting({ machineState: 'gone' }), T, { status: 'terminating', reason: 'error' }],
  ['a machine that answers gets the agent', starting({ machineState: 'ready', bareHost: { problem: null, failedTries: 0 } }), T, { status: 'provisioning', effects: ['install-agent'], dueAt: T + LIMITS.onboardRetryMinMs }],
  ['ever later when that fails', starting({ machineState: 'ready', bareHost: { problem: 'refused', failedTries: 2 } }), T, { status: 'provisioning', effects: ['install-agent'], dueAt: T + 4 * LIMITS.onboardRetryMinMs }],
  ['and is given up with the reason', starting({ machineState: 'ready', bareHost: { problem: 'refused', failedTries: 9 } }), T + 10 * MIN, { status: 'terminating', reason: 'provisioning_timeout' }],
  ['a ready machine whose agent never answers is given up', starting({ machineState: 'ready' }), T + 10 * MIN, { status: 'terminating', reason: 'provisioning_timeout' }],
  ['a machine that fails is given up', starting({ machineState: 'failed' }), T, { status: 'terminating', reason: 'error' }],
  ['an idle machine waits for its deadline', live(), T + 4 * MIN, { status: 'idle', effects: [], dueAt: T + 5 * MIN }],
  ['and is given up at it', live(), T + 5 * MIN, { status: 'terminating', reason: 'idle_timeout' }],
  ['an idle machine with a job is busy', live({ busyBlocks: 1 }), T, { status: 'busy', effects: [] }],
  ['a busy machine needs no look', live({ status: 'busy', busyBlocks: 1 }), T, { status: 'busy', effects: [], dueAt: null }],
  ['an idle machine nobody wants goes', live({ unwanted: 'fleet_spec_mismatch' }), T, { status: 'terminating', reason: 'fleet_spec_mismatch' }],
  ['a busy one finishes its jobs first', live({ status: 'busy', busyBlocks: 1, unwanted: 'fleet_spec_mismatch' }), T, { status: 'busy' }],
  ['a machine that fails is not kept, busy or not', live({ status: 'busy', busyBlocks: 1, machineState: 'failed' }), T, { status: 'terminating', reason: 'error' }],
  ['an unreachable machine nobody wants is not waited for', live({ unreachableSince: T, unwanted: 'terminated_by_user' }), T, { status: 'terminating', reason: 'terminated_by_user' }],
  ['an unreachable one with a job is, though nobody wants it', live({ status: 'busy', busyBlocks: 1, unreachableSince: T, unwanted: 'terminated_by_user' }), T, { status: 'busy', effects: ['poll'] }],
  ['a machine the fleet needs stays', live({ fleetSurplus: { machines: 0, goFirst: 0 } }), T + 60 * MIN, { status: 'idle', dueAt: null }],
  ['so it does while those that idle for longer are all that the fleet can spare', live({ fleetSurplus: { machines: 1, goFirst: 1 } }), T + 60 * MIN, { status: 'idle', dueAt: T + 61 * MIN }],
  ['it goes with them when the fleet can spare one more', live({ fleetSurplus: { machines: 2, goFirst: 1 } }), T + 60 * MIN, { status: 'terminating', reason: 'idle_timeout' }],
  ['a machine without idle limit stays', live({ idleLimitMs: null }), T + 60 * MIN, { status: 'idle', dueAt: null }],
  ['a released machine becomes idle', live({ status: 'busy' }), T, { status: 'idle' }],
  ['an unreachable machine is looked for', live({ unreachableSince: T }), T, { status: 'idle', effects: ['poll'] }],
  ['a rented one is given up after 20 minutes', live({ unreachableSince: T }), T + 20 * MIN, { status: 'terminating', reason: 'unreachable' }],
  ['an own host is kept however long it is away', live({ unreachableSince: T, tenure: 'local' }), T + 200 * MIN, { status: 'idle', effects: ['poll'] }],
  ['a given host is prepared', host(), T, { status: 'pending', effects: ['onboard'], dueAt: T + 2_000 }],
  ['and tried again, ever more seldom', host({ failedTries: 3, problem: { message: 'refused', lasting: false } }), T, { status: 'pending', effects: ['onboard'], dueAt: T + 16_000 }],
  ['until its time is up', host({ problem: { message: 'refused', lasting: false } }), T + 10 * MIN, { status: 'terminating', reason: 'provisioning_timeout' }],
  ['a problem that lasts ends it at once', host({ problem: { message: 'no sudo', lasting: true } }), T, { status: 'terminating', reason: 'error' }],
  ['a host nobody wants any more is let go', host({ unwanted: 'terminated_by_user' }), T, { status: 'terminating', reason: 'terminated_by_user' }],
  ['a prepared host waits for its agent', host({ isOnboarded: true }), T, { status: 'provisioning' }],
  ['which the connection to it finds', starting({ tenure: 'given', machineState: 'ready' }), T, { status: 'provisioning', effects: [], dueAt: T + 10 * MIN }],
  ['a given host is kept however long it is away', live({ unreachableSince: T, tenure: 'given' }), T + 200 * MIN, { status: 'idle', effects: [], dueAt: null }],
  ['an older agent is replaced', live({ replaceAgentAt: T }), T, { status: 'idle', effects: ['replace-agent'] }],
  ['under its jobs too', live({ status: 'busy', busyBlocks: 1, replaceAgentAt: T }), T, { status: 'busy', effects: ['replace-agent'], dueAt: T + LIMITS.agentReplaceRetryMs }],
  ['and again later when that failed', live({ replaceAgentAt: T + MIN, idleLimitMs: null }), T, { status: 'idle', effects: [], dueAt: T + MIN }],
  ['a given host that goes is cleaned up', ending({ tenure: 'given' }), T, { status: 'terminating', effects: ['terminate'] }],
  ['but not waited for without end', ending({ tenure: 'given', terminateFailures: 1 }), T + LIMITS.offboardMs, { status: 'terminated' }],
  ['nor given up before it was tried', ending({ tenure: 'given' }), T + LIMITS.offboardMs, { status: 'terminating', effects: ['terminate'] }],
  ['a machine that vanished is not kept', live({ machineState: 'gone' }), T, { status: 'terminating', reason: 'error' }],
  ['terminating asks the cloud', ending(), T, { status: 'terminating', effects: ['terminate'] }],
  ['not more often than the back-off allows', ending({ nextTerminateAt: T + MIN }), T, { status: 'terminating', effects: [], dueAt: T + MIN }],
  ['and never gives up', ending({ terminateFailures: 1000, nextTerminateAt: T }), T + 10_000 * MIN, { status: 'terminating', effects: ['terminate'] }],
  ['it lets jobs save their last output first', ending({ jobsDraining: true }), T, { status: 'terminating', effects: [], dueAt: T + LIMITS.logDrainMs }],
  ['a machine of a group that is no longer used ends', live({ status: 'busy', isOneOfGroup: true, busyBlocks: 0 }), T, { status: 'terminating', reason: 'job_finished' }],
  ['a machine of a group is kept until all of them are free', ending({ groupInUse: true }), T, { status: 'terminating', effects: [], dueAt: T + LIMITS.groupWaitMs }],
  ['a machine of a group that is gone waits for nobody', ending({ groupInUse: true, machineGone: true }), T, { status: 'terminated' }],
  ['a machine is kept until its volumes have left', ending({ volumesLeaving: true }), T, { status: 'terminating', effects: [], dueAt: T + LIMITS.instanceDetachMs }],
  ['a machine that does not let go of its volumes is ended', ending({ volumesLeaving: true }), T + LIMITS.instanceDetachMs, { status: 'terminating', effects: ['terminate'] }],
  ['a machine that is gone has no volumes any more', ending({ volumesLeaving: true, machineGone: true }), T, { status: 'terminated' }],
  ['it is terminated only when the machine is gone', ending({ machineGone: true }), T, { status: 'terminated', effects: [] }],
])('%s', (_rule, instance, now, expected) => {
  const { status, effects, changes, dueAt } = decideInstance(instance, now);
  expect({ status, effects: effects.map((effect) => effect.do), reason: changes.reason, dueAt }).toMatchObject(expected);
}); // prettier-ignore

it('tells when the machine would power itself off', () => {
  const { because } = decideInstance(starting({ connectedSince: T, powerOffAfterMs: 65 * MIN }), T);
  expect(because).toBe('agent is up; without a server and a job for 65 minutes it powers the machine off');
});

it('an instance that is terminated stays so', () => {
  expect(decideInstance({ ...base, status: 'terminated' }, T)).toEqual({
    status: 'terminated', changes: {}, effects: [], dueAt: null, because: null,
  }); // prettier-ignore
});

it.each([
  [null, 'what was installed on the host could not be removed'],
  ['no sudo', 'no sudo (what was installed on the host could not be removed)'],
])('a host that cannot be visited any more keeps its reason: %s', (endMessage, message) => {
  const lost = ending({ tenure: 'given', endMessage, terminateFailures: 1, statusChangedAt: T - LIMITS.offboardMs });
  expect(decideInstance(lost, T)).toMatchObject({ status: 'terminated', changes: { message } });
});

it.each<[string, InstanceSnapshot, AttemptNews, string | null]>([
  ['a name on disk is an attempt that is committed with it', pending(), { openAttempt: attempt(), attemptsMade: 1 }, 'launching'],
  ['a create call waits for the commit of its attempt', launching({ openAttempt: null }), { openAttempt: attempt() }, null],
  ['a machine that was made is one that starts', launching(), { openAttempt: null, machine: 'starting' }, 'provisioning'],
  ['one that is joined is one that starts, too', pending(), { openAttempt: null, machine: 'starting' }, 'provisioning'],
  ['an attempt that failed is followed by another look, which waits', launching(), { openAttempt: null }, null],
  ['a host of the user’s own is not made', host(), { machine: 'ready' }, null],
  ['what is there already is not made', starting(), { machine: 'ready' }, null],
])('in the same commit: %s', (_rule, instance, news, expected) => {
  expect(goOn(instance, news, T)?.status ?? null).toBe(expected);
}); // prettier-ignore
