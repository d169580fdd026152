import { describe, expect, it } from '@jest/globals';
import { blocksMatchJobs } from '../src/invariants/blocks-match-jobs.js';
import { fleetsKeepTheirLeast } from '../src/invariants/fleets-keep-their-least.js';
import { fleetsKeepTheirLimit } from '../src/invariants/fleets-keep-their-limit.js';
import { gangsAreWhole } from '../src/invariants/gangs-are-whole.js';
import type { Invariant } from '../src/invariants/invariant.js';
import { jobsEndInTime } from '../src/invariants/jobs-end-in-time.js';
import { machinesHaveRows } from '../src/invariants/machines-have-rows.js';
import { moneyIsRight } from '../src/invariants/money-is-right.js';
import { runsAndJobsAgree } from '../src/invariants/runs-and-jobs-agree.js';
import { containersHaveOneJob } from '../src/invariants/containers-have-one-job.js';
import { seatsAreSound } from '../src/invariants/seats-are-sound.js';
import { servicesAreSound } from '../src/invariants/services-are-sound.js';
import { statusesMoveForward } from '../src/invariants/statuses-move-forward.js';
import { StopsAreHeard } from '../src/invariants/stops-are-heard.js';
import { instance, job, machine, type Picture, sceneOf } from './scene-of.js';

interface Case {
  readonly what: string;
  readonly invariant: Invariant;
  readonly fine: Picture;
  readonly broken: Picture;
  readonly says: string;
}

const service = (desired: number, live: number) => ({
  id: 'r',
  name: 'web',
  desired,
  live,
  spec: JSON.stringify({ configuration: { replicas: { min: 1, max: 3 } } }),
});

const CASES: readonly Case[] = [
  {
    what: 'only replicas that run and stay get requests',
    invariant: servicesAreSound,
    fine: { jobs: { a: job({}) } },
    broken: { jobs: { a: job({}) }, rows: [{ name: 'web-0-0', status: 'terminating', draining: 0 }] },
    says: 'web-0-0 gets requests, and is terminating',
  },
  {
    what: 'a service has no more replicas than it may have',
    invariant: { afterChange: (scene) => servicesAreSound.nowAndThen?.(scene) },
    fine: { calmMs: 120_000, rows: [service(3, 4)] },
    broken: { calmMs: 120_000, rows: [service(4, 4)] },
    says: 'shall have 4 replicas, and may have 1 to 3',
  },
  {
    what: 'a service has one replica more than it shall have at most',
    invariant: { afterChange: (scene) => servicesAreSound.nowAndThen?.(scene) },
    fine: { calmMs: 0, rows: [service(1, 3)] },
    broken: { calmMs: 120_000, rows: [service(1, 3)] },
    says: 'has 3 replicas, and shall have 1',
  },
  {
    what: 'machines that idle stay while their fleet always wants to have them',
    invariant: fleetsKeepTheirLeast,
    fine: {
      instances: {
        a: instance({ fleetId: 'f', status: 'terminating' }),
        b: instance({ fleetId: 'f', status: 'idle' }),
      },
      before: {
        instances: { a: instance({ fleetId: 'f', status: 'idle' }), b: instance({ fleetId: 'f', status: 'idle' }) },
      },
      rows: [{ reason: 'idle_timeout', least: 1 }],
    },
    broken: {
      instances: {
        a: instance({ fleetId: 'f', status: 'terminating' }),
        b: instance({ fleetId: 'f', status: 'terminating' }),
      },
      before: {
        instances: { a: instance({ fleetId: 'f', status: 'idle' }), b: instance({ fleetId: 'f', status: 'idle' }) },
      },
      rows: [{ reason: 'idle_timeout', least: 1 }],
    },
    says: 'is given up for being idle, and its fleet has 0 of 1',
  },
  {
    what: 'a job that is to end gets there',
    invariant: { afterChange: (scene) => jobsEndInTime.nowAndThen?.(scene) },
    fine: { rows: [] },
    broken: { rows: [{ id: 'a' }] },
    says: 'job a has been ending for 50 minutes',
  },
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
    what: 'an instance of a group has one machine',
    invariant: machinesHaveRows,
    fine: {
      machines: [machine('one', { id: 'g', rank: 0 }), machine('one', { id: 'g', rank: 1 })],
      instances: { i: instance({}) },
      attempts: { t: { cloudName: 'one', instanceId: 'i', outcome: 'created' } },
    },
    broken: {
      machines: [machine('one', { id: 'g', rank: 1 }), machine('one', { id: 'h', rank: 1 })],
      instances: { i: instance({}) },
      attempts: { t: { cloudName: 'one', instanceId: 'i', outcome: 'created' } },
    },
    says: 'two machines',
  },
  {
    what: 'a machine is priced',
    invariant: moneyIsRight,
    fine: {
      instances: { i: instance({ status: 'idle', machine: 'ready' }) },
      rows: [{ id: 'p', started_at: 1, ended_at: null }],
    },
    broken: { instances: { i: instance({ status: 'idle', machine: 'ready' }) }, rows: [] },
    says: 'not priced',
  },
  {
    what: 'time does not run backwards for money',
    invariant: moneyIsRight,
    fine: { instances: { i: instance({}) }, rows: [{ id: 'p', started_at: 5, ended_at: 5 }] },
    broken: { instances: { i: instance({}) }, rows: [{ id: 'p', started_at: 5, ended_at: 4 }] },
    says: '1 ms before it starts',
  },
  {
    what: 'nothing is priced twice',
    invariant: moneyIsRight,
    fine: {
      instances: { i: instance({}) },
      rows: [
        { id: 'p', started_at: 1, ended_at: 2 },
        { id: 'q', started_at: 2, ended_at: 3 },
      ],
    },
    broken: {
      instances: { i: instance({}) },
      rows: [
        { id: 'p', started_at: 1, ended_at: 3 },
        { id: 'q', started_at: 2, ended_at: 3 },
      ],
    },
    says: 'priced twice',
  },
  {
    what: 'a machine is priced as it was offered',
    invariant: moneyIsRight,
    fine: { instances: { i: instance({}) }, rows: [{ id: 'p', started_at: 1, ended_at: 2, price: 1, offered: 1 }] },
    broken: { instances: { i: instance({}) }, rows: [{ id: 'p', started_at: 1, ended_at: 2, price: 2, offered: 1 }] },
    says: 'priced at 2 an hour, and costs 1',
  },
  {
    what: 'a machine is priced until it is gone',
    invariant: moneyIsRight,
    fine: { instances: { i: instance({ status: 'terminating', machine: 'gone' }) }, rows: [] },
    broken: { instances: { i: instance({ status: 'terminating', machine: 'ready' }) }, rows: [] },
    says: 'not priced',
  },
  {
    what: 'a run that is over has no job left',
    invariant: runsAndJobsAgree,
    fine: { runs: { r: { name: 'run', status: 'done', isDeleted: 0 } }, jobs: { a: job({ status: 'done' }) } },
    broken: { runs: { r: { name: 'run', status: 'done', isDeleted: 0 } }, jobs: { a: job({ status: 'terminating' }) } },
    says: 'run is done, and job is not over',
  },
  {
    what: 'a run that is deleted is over',
    invariant: runsAndJobsAgree,
    fine: { runs: { r: { name: 'run', status: 'failed', isDeleted: 1 } } },
    broken: { runs: { r: { name: 'run', status: 'running', isDeleted: 1 } } },
    says: 'deleted while it is running',
  },
  {
    what: 'a job is submitted again when it is over',
    invariant: runsAndJobsAgree,
    fine: {
      runs: { r: { name: 'run', status: 'running', isDeleted: 0 } },
      jobs: { a: job({ status: 'failed' }), b: job({ status: 'running' }), c: job({ place: '0 1' }) },
    },
    broken: {
      runs: { r: { name: 'run', status: 'running', isDeleted: 0 } },
      jobs: { a: job({ name: 'one', status: 'terminating' }), b: job({ name: 'two' }) },
    },
    says: 'one and two are the same job',
  },
  {
    what: 'a container waits for no other job',
    invariant: containersHaveOneJob,
    fine: { instances: { i: instance({ isContainer: 1 }), h: instance({ status: 'idle' }) } },
    broken: { instances: { i: instance({ isContainer: 1, status: 'idle' }) } },
    says: 'waits for another job',
  },
  {
    what: 'a machine that is to go gets no job',
    invariant: seatsAreSound,
    fine: {
      instances: { i: instance({ isUnwanted: 1 }) },
      before: { instances: { i: instance({}) } },
      jobs: { a: job({ instanceId: 'i' }) },
    },
    broken: {
      instances: { i: instance({ isUnwanted: 1 }) },
      before: { instances: { i: instance({ isUnwanted: 1 }) } },
      jobs: { a: job({ instanceId: 'i' }) },
    },
    says: 'which is to go',
  },
  {
    what: 'a machine that is ending gets no job',
    invariant: seatsAreSound,
    fine: {
      instances: { i: instance({ status: 'terminating' }) },
      before: { instances: { i: instance({ status: 'terminating' }) }, jobs: { a: job({ instanceId: 'i' }) } },
      jobs: { a: job({ instanceId: 'i' }) },
    },
    broken: {
      instances: { i: instance({ status: 'terminated' }) },
      before: { instances: { i: instance({ status: 'terminating' }) } },
      jobs: { a: job({ instanceId: 'i' }) },
    },
    says: 'which is terminated',
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

describe('a stop', () => {
  const look = (invariant: StopsAreHeard, now: number, rows: readonly object[], calmMs = now): readonly string[] => {
    const scene = sceneOf({ rows, now, calmMs });
    invariant.nowAndThen(scene);
    return scene.story.violations;
  };
  const UNHEARD = [{ id: 'a', is_aborted: 0 }];

  it('reaches the jobs within two minutes', () => {
    const invariant = new StopsAreHeard();
    expect(look(invariant, 0, UNHEARD)).toEqual([]);
    expect(look(invariant, 119_000, UNHEARD)).toEqual([]);
    expect(look(invariant, 120_000, UNHEARD)).toEqual(['the run of job a was stopped, and it was not told']);
  });

  it('takes its time while no server is at work', () => {
    const invariant = new StopsAreHeard();
    look(invariant, 0, UNHEARD);
    expect(look(invariant, 200_000, UNHEARD, 50_000)).toEqual([]);
  });

  it('counts anew when the job was told', () => {
    const invariant = new StopsAreHeard();
    look(invariant, 0, UNHEARD);
    look(invariant, 60_000, []);
    expect(look(invariant, 130_000, UNHEARD)).toEqual([]);
  });
});
