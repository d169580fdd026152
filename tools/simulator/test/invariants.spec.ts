import { describe, expect, it } from '@jest/globals';
import { blocksMatchJobs } from '../src/invariants/blocks-match-jobs.js';
import { fleetsKeepTheirLimit } from '../src/invariants/fleets-keep-their-limit.js';
import { gangsAreWhole } from '../src/invariants/gangs-are-whole.js';
import type { Invariant } from '../src/invariants/invariant.js';
import { machinesHaveRows } from '../src/invariants/machines-have-rows.js';
import { moneyIsRight } from '../src/invariants/money-is-right.js';
import { statusesMoveForward } from '../src/invariants/statuses-move-forward.js';
import { instance, job, machine, type Picture, sceneOf } from './scene-of.js';

interface Case {
  readonly what: string;
  readonly invariant: Invariant;
  readonly fine: Picture;
  readonly broken: Picture;
  readonly says: string;
}

const CASES: readonly Case[] = [
  {
    what: 'a job that has ended stays so',
    invariant: statusesMoveForward,
    fine: { jobs: { a: job({ status: 'done' }) }, before: { jobs: { a: job({ status: 'terminating' }) } } },
    broken: { jobs: { a: job({ status: 'running' }) }, before: { jobs: { a: job({ status: 'done' }) } } },
    says: 'backwards',
  },
  {
    what: 'busy blocks are those of jobs',
    invariant: blocksMatchJobs,
    fine: { instances: { i: instance({ busyBlocks: 1 }) }, jobs: { a: job({ instanceId: 'i' }) } },
    broken: { instances: { i: instance({ busyBlocks: 1 }) } },
    says: '1 blocks busy, 0 used',
  },
  {
    what: 'no more blocks are used than there are',
    invariant: blocksMatchJobs,
    fine: {
      instances: { i: instance({ busyBlocks: 2, totalBlocks: 2 }) },
      jobs: { a: job({ instanceId: 'i' }), b: job({ instanceId: 'i' }) },
    },
    broken: {
      instances: { i: instance({ busyBlocks: 2, totalBlocks: 1 }) },
      jobs: { a: job({ instanceId: 'i' }), b: job({ instanceId: 'i' }) },
    },
    says: '1 in all',
  },
  {
    what: 'all nodes have machines or none',
    invariant: gangsAreWhole,
    fine: { jobs: { a: job({ gang: 'g', instanceId: 'i' }), b: job({ gang: 'g', instanceId: 'k' }) } },
    broken: { jobs: { a: job({ gang: 'g', instanceId: 'i' }), b: job({ gang: 'g' }) } },
    says: 'some of its nodes',
  },
  {
    what: 'a fleet grows to its limit',
    invariant: fleetsKeepTheirLimit,
    fine: { fleets: { f: { name: 'f', status: 'active', maxNodes: 1 } }, instances: { i: instance({ fleetId: 'f' }) } },
    broken: {
      fleets: { f: { name: 'f', status: 'active', maxNodes: 1 } },
      instances: { i: instance({ fleetId: 'f' }), k: instance({ fleetId: 'f' }) },
    },
    says: '2 of at most 1',
  },
  {
    what: 'a machine belongs to an instance',
    invariant: machinesHaveRows,
    fine: {
      machines: [machine('one')],
      instances: { i: instance({}) },
      attempts: { t: { cloudName: 'one', instanceId: 'i', outcome: 'created' } },
    },
    broken: {
      machines: [machine('one')],
      instances: { i: instance({ status: 'terminated' }) },
      attempts: { t: { cloudName: 'one', instanceId: 'i', outcome: 'created' } },
    },
    says: 'belongs to no instance',
  },
  {
    what: 'an instance has one machine',
    invariant: machinesHaveRows,
    fine: { machines: [] },
    broken: {
      machines: [machine('one'), machine('two')],
      instances: { i: instance({}) },
      attempts: {
        t: { cloudName: 'one', instanceId: 'i', outcome: 'failed' },
        u: { cloudName: 'two', instanceId: 'i', outcome: 'created' },
      },
    },
    says: 'two machines',
  },
  {
    what: 'a machine is priced',
    invariant: moneyIsRight,
    fine: {
      instances: { i: instance({ status: 'idle', machine: 'ready' }) },
      intervals: [{ id: 'p', started_at: 1, ended_at: null }],
    },
    broken: { instances: { i: instance({ status: 'idle', machine: 'ready' }) }, intervals: [] },
    says: 'not priced',
  },
  {
    what: 'time does not run backwards for money',
    invariant: moneyIsRight,
    fine: { instances: { i: instance({}) }, intervals: [{ id: 'p', started_at: 5, ended_at: 5 }] },
    broken: { instances: { i: instance({}) }, intervals: [{ id: 'p', started_at: 5, ended_at: 4 }] },
    says: '1 ms before it starts',
  },
  {
    what: 'nothing is priced twice',
    invariant: moneyIsRight,
    fine: {
      instances: { i: instance({}) },
      intervals: [
        { id: 'p', started_at: 1, ended_at: 2 },
        { id: 'q', started_at: 2, ended_at: 3 },
      ],
    },
    broken: {
      instances: { i: instance({}) },
      intervals: [
        { id: 'p', started_at: 1, ended_at: 3 },
        { id: 'q', started_at: 2, ended_at: 3 },
      ],
    },
    says: 'priced twice',
  },
];

describe('an invariant holds, and says when it does not', () => {
  it.each(CASES.map((each) => [each.what, each] as const))('%s', (_what, { invariant, fine, broken, says }) => {
    const [good, bad] = [sceneOf(fine), sceneOf(broken)];
    invariant.afterChange?.(good);
    invariant.afterChange?.(bad);
    expect(good.story.violations).toEqual([]);
    expect(bad.story.violations.join('\n')).toContain(says);
  });
});
