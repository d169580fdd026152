import { LIMITS } from './limits.js';
import { failuresInARow, failuresOfDeployment, type Submission } from './replica-history.js';

const T = 1_000_000_000;
const failed = (over: Partial<Submission> = {}): Submission => ({
  submissionNum: 0, deploymentNum: 1, status: 'failed', terminationReason: 'container_exited_with_error', runningAt: T - 1000,
  readyAt: null, drainingSince: null, finishedAt: T, ...over,
}); // prettier-ignore
const long = { runningAt: T - LIMITS.stableRunMs };
const running = failed({ status: 'running', terminationReason: null, finishedAt: null });
const scaledDown = failed({ status: 'terminated', terminationReason: 'scaled_down' });

const inOrder = (...submissions: Submission[]): Submission[] =>
  submissions.map((submission, submissionNum) => ({ ...submission, submissionNum }));

it.each<[string, Submission[], number]>([
  ['none', [], 0],
  ['none while it runs', [running], 0],
  ['one', [failed()], 1],
  ['all in a row', [failed(), failed({ runningAt: null }), failed()], 3],
  ['those before the one that runs', [failed(), failed(), running], 2],
  ['those since it ran for long, that one included', [failed(), failed(long), failed()], 2],
  ['those since it was not needed', [failed(), scaledDown, failed()], 1],
  ['none of what failed while it drained', [failed({ drainingSince: T })], 0],
])('a replica has failed in a row: %s', (_what, submissions, expected) => {
  expect(failuresInARow(inOrder(...submissions))).toBe(expected);
});

it.each<[string, Submission, boolean]>([
  ['a failure before it was ready', failed(), true],
  ['a failure after it was', failed({ readyAt: T - 500 }), false],
  ['a failure of the specification before', failed({ deploymentNum: 0 }), false],
  ['no room', failed({ terminationReason: 'failed_to_start_due_to_no_capacity' }), false],
  ['a failure while it drained', failed({ drainingSince: T }), false],
  ['an end that was asked for', scaledDown, false],
])('an update is to blame for %s: %#', (_what, submission, isToBlame) => {
  expect(failuresOfDeployment([submission], 1)).toHaveLength(isToBlame ? 1 : 0);
});

it('tells the last failure last', () => {
  const [first, last] = [failed({ finishedAt: T - 5 }), failed({ finishedAt: T })];
  expect(failuresOfDeployment([last, first], 1)).toEqual([first, last]);
});
