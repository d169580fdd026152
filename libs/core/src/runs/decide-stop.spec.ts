import { decideStop, type StoppedRun } from './decide-stop.js';

const run = (fields: Partial<StoppedRun>): StoppedRun => ({
  status: 'running',
  terminationReason: null,
  isScheduled: false,
  ...fields,
});

it.each<[what: string, run: StoppedRun, stop: string | null, abort: string | null]>([
  ['is running', run({}), 'stopped_by_user', 'aborted_by_user'],
  ['waits for its schedule', run({ status: 'pending', isScheduled: true }), 'stopped_by_user', 'aborted_by_user'],
  ['is ending', run({ status: 'terminating', terminationReason: 'all_jobs_done' }), null, 'aborted_by_user'],
  [
    'is ending, and would come back',
    run({ status: 'terminating', terminationReason: 'all_jobs_done', isScheduled: true }),
    'stopped_by_user',
    'aborted_by_user',
  ],
  [
    'is aborted, and will not come back',
    run({ status: 'terminating', terminationReason: 'aborted_by_user', isScheduled: true }),
    null,
    'aborted_by_user',
  ],
  ['is over', run({ status: 'done', terminationReason: 'all_jobs_done', isScheduled: true }), null, null],
])('a run that %s', (_what, given, stop, abort) => {
  expect([decideStop(given, false), decideStop(given, true)]).toEqual([stop, abort]);
});
