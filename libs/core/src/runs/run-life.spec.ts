import type { JobTerminationReason } from '../wire/enums.js';
import { costUsd } from './cost.js';
import { retryOf, secondsOrOff } from './effective-profile.js';
import { evaluateRetry, resubmissionDelayMs } from './retry.js';
import { jobError, jobStatusMessage, runError, runStatusMessage } from './status-message.js';

const HOUR = 3_600_000;
const all = retryOf(true);
const job = { policy: all, now: HOUR / 2, runStartedAt: 0, lastProvisionedEndedAt: null };

it.each([
  ['no capacity, soon after submission', 'failed_to_start_due_to_no_capacity', {}, true],
  ['no capacity, too late', 'failed_to_start_due_to_no_capacity', { now: HOUR + 1 }, 'retry-limit-exceeded'],
  ['an error before any machine', 'volume_error', {}, 'not-retryable'],
  ['an interruption before any machine', 'interrupted_by_no_capacity', {}, 'not-retryable'],
  ['an error after one', 'container_exited_with_error', { lastProvisionedEndedAt: HOUR / 2 }, true],
  [
    'an interruption long after submission',
    'interrupted_by_no_capacity',
    { now: 9 * HOUR, lastProvisionedEndedAt: 9 * HOUR },
    true,
  ],
  [
    'no capacity once there was a machine counts from its end',
    'failed_to_start_due_to_no_capacity',
    { now: 3 * HOUR, lastProvisionedEndedAt: HOUR },
    'retry-limit-exceeded',
  ],
  [
    'an event that is not listed',
    'container_exited_with_error',
    { policy: { on_events: ['interruption' as const], duration: 60 }, lastProvisionedEndedAt: 0 },
    'not-retryable',
  ],
  ['no policy', 'container_exited_with_error', { policy: null, lastProvisionedEndedAt: 0 }, 'not-retryable'],
  ['a stop', 'terminated_by_user', { lastProvisionedEndedAt: 0 }, 'not-retryable'],
  ['max duration', 'max_duration_exceeded', { lastProvisionedEndedAt: 0 }, 'not-retryable'],
] as const)('retry after %s', (_case, reason, overrides, expected) => {
  const verdict = evaluateRetry({
    ...job,
    reason,
    ...overrides,
    policy: clone('policy' in overrides ? overrides.policy : all),
  });
  expect(verdict.retry ? true : verdict.because).toBe(expected);
});

function clone<T>(policy: T) {
  return structuredClone(policy) as typeof all;
}

it('waits longer from try to try', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map((attempt) => resubmissionDelayMs(attempt) / 1000)).toEqual([
    15, 30, 60, 120, 300, 600, 600,
  ]);
});

it.each([
  [true, { on_events: ['no-capacity', 'interruption', 'error'], duration: 3600 }],
  [{ on_events: ['error' as const] }, { on_events: ['error'], duration: 3600 }],
  [{ duration: 60 }, { on_events: ['no-capacity', 'interruption', 'error'], duration: 60 }],
  [false, null],
  [null, null],
])('retry %j means %j', (given, means) => expect(retryOf(given)).toEqual(means));

it.each([
  ['off', null],
  [60, 60],
  [null, 300],
  [undefined, 300],
] as const)('a duration of %s is %s', (given, seconds) => expect(secondsOrOff(given, 300)).toBe(seconds));

it.each([
  ['done', 'done_by_runner', null, 0, 'exited (0)'],
  ['failed', 'container_exited_with_error', null, 3, 'exited (3)'],
  ['failed', 'container_exited_with_error', null, null, 'error'],
  ['failed', 'failed_to_start_due_to_no_capacity', 'No matching fleet found', null, 'no fleets'],
  ['failed', 'failed_to_start_due_to_no_capacity', 'tried 3 offers', null, 'no capacity'],
  ['failed', 'interrupted_by_no_capacity', null, null, 'interrupted'],
  ['failed', 'volume_error', null, null, 'error'],
  ['terminated', 'terminated_by_user', null, null, 'stopped'],
  ['terminated', 'scaled_down', null, null, 'terminated'],
  ['aborted', 'aborted_by_user', null, null, 'aborted'],
  ['running', null, null, null, 'running'],
] as const)('a job %s by %s (%s, %s) reads %s', (status, reason, reasonMessage, exitStatus, text) => {
  expect(jobStatusMessage({ status, reason, reasonMessage, exitStatus })).toBe(text);
});

const noCapacity: { status: 'failed'; reason: JobTerminationReason } = {
  status: 'failed',
  reason: 'failed_to_start_due_to_no_capacity',
};

it.each([
  ['all jobs pulling', { status: 'provisioning', jobs: [{ status: 'pulling', reason: null }], retry: null }, 'pulling'],
  [
    'one job pulling',
    {
      status: 'provisioning',
      jobs: [
        { status: 'pulling', reason: null },
        { status: 'running', reason: null },
      ],
      retry: null,
    },
    'provisioning',
  ],
  ['waiting for capacity', { status: 'pending', jobs: [noCapacity], retry: all }, 'retrying'],
  ['not retrying capacity', { status: 'pending', jobs: [noCapacity], retry: null }, 'pending'],
  ['no jobs', { status: 'pending', jobs: [], retry: all }, 'pending'],
] as const)('a run with %s', (_case, facts, text) => expect(runStatusMessage(facts)).toBe(text));

it('has error texts of the contract', () => {
  expect(jobError('volume_error')).toBe('volume error');
  expect(jobError(null)).toBeNull();
  expect(runError('retry_limit_exceeded')).toBe('retry limit exceeded');
  expect(runError(null)).toBeNull();
});

it('costs what was held, for as long as it was', () => {
  const intervals = [
    { priceUsdPerHour: 2, from: 0, until: HOUR },
    { priceUsdPerHour: 1, from: HOUR, until: null },
    { priceUsdPerHour: 9, from: 5 * HOUR, until: null },
  ];
  expect(costUsd(intervals, 1.5 * HOUR)).toBe(2.5);
  expect(costUsd([{ priceUsdPerHour: 1, from: 0, until: 1 }], 0)).toBe(0);
});
