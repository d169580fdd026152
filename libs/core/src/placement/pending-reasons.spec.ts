import { expect, it } from '@jest/globals';
import type { Explanation } from './explanation.js';
import { explanationLines } from './explanation-lines.js';
import { type PendingFacts, pendingReasons } from './pending-reasons.js';

const explanation: Explanation = {
  obstacles: [{ kind: 'offers', about: null, because: 'aws: no offers' }],
  reliefs: [],
  fullFleetIds: [],
  thisMachineIsFull: false,
};
const unplaced = { terminationReason: 'failed_to_start_due_to_no_capacity', terminationMessage: 'all 3 offers tried failed' } as const; // prettier-ignore
const failed = { terminationReason: 'container_exited_with_error', terminationMessage: 'status 1' } as const;
const facts = (changes: Partial<PendingFacts>): PendingFacts => ({
  status: 'pending',
  pendingBecause: { refusedAt: 1, explanation },
  jobs: [unplaced],
  ...changes,
});

it.each<[string, Partial<PendingFacts>, string[]]>([
  ['waits to be tried again', {}, ['aws: no offers']],
  ['is being tried', { status: 'submitted', jobs: [] }, ['aws: no offers']],
  ['failed without capacity', { status: 'failed' }, ['aws: no offers']],
  ['failed otherwise', { status: 'failed', jobs: [failed] }, []],
  ['was stopped while it waited', { status: 'terminated' }, []],
  ['was given a machine that could not be created', { pendingBecause: null }, ['all 3 offers tried failed']],
  ['has what it needs', { status: 'running', pendingBecause: null, jobs: [] }, []],
])('a run that %s', (_state, changes, expected) => expect(pendingReasons(facts(changes))).toEqual(expected));

it('what helps most comes first, and names that are too many are counted', () => {
  const names = (first: string[], count = first.length) => ({ first, count });
  expect(
    explanationLines({
      ...explanation,
      obstacles: [
        { kind: 'mismatch', about: { noun: 'host', names: names(['c']) }, because: 'gpus 0 not in 1..' },
        ...explanation.obstacles,
        { kind: 'busy', about: { noun: 'host', names: names(['a', 'b', 'd'], 9) }, because: 'busy' },
      ],
      reliefs: [{ runName: 'train', userName: 'alice', instances: names(['a', 'b']) }],
    }),
  ).toEqual([
    'hosts a, b, d and 6 more: busy',
    'would fit after run train (alice): a, b',
    'aws: no offers',
    'host c: gpus 0 not in 1..',
  ]);
});
