import { expect, it } from '@jest/globals';
import { decideOwedLog } from './decide-owed-log.js';
import type { JobHost, OwedLog } from './job-snapshot.js';
import { LIMITS } from './limits.js';

const T = 1_000_000_000;
const host = (over: Partial<JobHost> = {}): JobHost => ({
  instanceId: 'i',
  status: 'idle',
  isSpot: false,
  connectedSince: T,
  unreachableSince: null,
  hasEnded: false,
  unreachableLimitMs: LIMITS.unreachableJobMs,
  provisioningLimitMs: 1,
  terminationMessage: null,
  foundNoCapacity: false,
  failedStart: null,
  ...over,
});
const owed = (over: Partial<OwedLog> = {}): OwedLog => ({
  host: host(),
  end: { job: 10, runner: 2 },
  logOffsets: { job: -1, runner: 2 },
  ...over,
});
const remove = { do: 'remove' };
const isGone = { do: 'give-up-log', because: 'its host is gone' };
const isLate = { do: 'give-up-log', because: 'the server could not take them for a day' };
const aDay = T + LIMITS.owedLogMs;
const silent = { connectedSince: null, unreachableSince: T };

it.each<[string, OwedLog | null, number, { effects: object[]; dueAt: number | null }]>([
  ['owes nothing, and is left alone', null, T, { effects: [], dueAt: null }],
  ['is kept on its host until its log is here', owed(), T, { effects: [], dueAt: aDay }],
  ['is kept on a host that has other work', owed({ host: host({ status: 'busy' }) }), T, { effects: [], dueAt: aDay }],
  ['is kept on a host that nobody reaches now', owed({ host: host(silent) }), T, { effects: [], dueAt: aDay }],
  ['is kept while its host is being ended', owed({ host: host({ status: 'terminating' }) }), T, { effects: [], dueAt: aDay }],
  ['is forgotten there when its log is here', owed({ logOffsets: { job: 10, runner: 2 } }), T, { effects: [remove], dueAt: null }],
  ['is not whole without what the agent wrote', owed({ logOffsets: { job: 10, runner: -1 } }), T, { effects: [], dueAt: aDay }],
  ['is forgotten, not given up, when its log came at the last moment', owed({ logOffsets: { job: 10, runner: 2 } }), aDay, { effects: [remove], dueAt: null }],
  ['is given up after a day', owed(), aDay, { effects: [isLate], dueAt: null }],
  ['is given up with its host', owed({ host: host({ status: 'terminated' }) }), T, { effects: [isGone], dueAt: null }],
  ['is given up with a host that its cloud has stopped', owed({ host: host({ ...silent, hasEnded: true }) }), T, { effects: [isGone], dueAt: null }],
  ['is given up where the host is not known any more', owed({ host: null }), T, { effects: [isGone], dueAt: null }],
])('the log of a job that is over %s', (_rule, owedLog, now, { effects, dueAt }) => {
  const job = { id: 'j', submittedAt: T, statusChangedAt: T, status: 'done' as const, owedLog };
  expect(decideOwedLog(job, now)).toEqual({ status: 'done', changes: {}, effects, dueAt, because: null });
}); // prettier-ignore
