import { NO_TRAFFIC, type ServiceTraffic } from '../services/traffic.js';
import { decideRun } from './decide-run.js';
import { LIMITS } from './limits.js';
import type { ActiveRun, PendingRun, RunEffect } from './run-snapshot.js';
import type { Replica, ServiceFacts } from './service-snapshot.js';

const T = 1_000_000_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const retry = { on_events: ['no-capacity' as const, 'interruption' as const, 'error' as const], duration: 3600 };

const ready = (num: number, over: Partial<Replica> = {}): Replica => ({
  id: `j${num}`, replicaNum: num, jobNum: 0, submissionNum: 0, deploymentNum: 1, status: 'running', reason: null, stopMode: null,
  submittedAt: T - MINUTE, finishedAt: null, lastProvisionedEndAt: null, retry: null, group: '0', isReady: true,
  runningAt: T - MINUTE, drainingSince: null, isUpToDate: true, failuresInARow: 0, ...over,
}); // prettier-ignore
const starting = (num: number, over: Partial<Replica> = {}): Replica => ready(num, { isReady: false, ...over });
const submitted = (num: number, over: Partial<Replica> = {}): Replica =>
  ready(num, { status: 'submitted', isReady: false, runningAt: null, ...over });
const old = (num: number, over: Partial<Replica> = {}): Replica =>
  ready(num, { deploymentNum: 0, isUpToDate: false, ...over });
const draining = (num: number, over: Partial<Replica> = {}): Replica =>
  starting(num, { drainingSince: T - 2 * SECOND, ...over });
const failed = (num: number, over: Partial<Replica> = {}): Replica =>
  ready(num, {
    status: 'failed', reason: 'container_exited_with_error', isReady: false, finishedAt: T, lastProvisionedEndAt: T,
    failuresInARow: 1, ...over,
  }); // prettier-ignore
const gone = (num: number): Replica => failed(num, { status: 'terminated', reason: 'scaled_down' });
const done = (num: number): Replica => failed(num, { status: 'done', reason: 'done_by_runner' });

const fixed = (count: number, name = '0') => ({ name, min: count, max: count, scaling: null });
const elastic = {
  name: '0',
  min: 0,
  max: 4,
  scaling: { target: 1, windowSeconds: 60, upDelayMs: 0, downDelayMs: 10 * MINUTE },
};
const traffic = (over: Partial<ServiceTraffic>): ServiceTraffic => ({ ...NO_TRAFFIC, heardSince: T, ...over });

const service = (count: number, replicas: Replica[], over: Partial<ServiceFacts> = {}): ServiceFacts => ({
  groups: [fixed(count)],
  replicas,
  scale: { '0': { desired: count, scaledAt: T - 20 * MINUTE } },
  traffic: NO_TRAFFIC,
  drainLimitMs: 5 * MINUTE,
  rollout: null,
  gatewayRefusal: null,
  router: null,
  endsWithRouter: false,
  ...over,
});
const base = { id: 'r', submittedAt: T - MINUTE, startedAt: T - MINUTE, isScheduled: false, resubmissionAttempt: 0 };
const run = (facts: ServiceFacts, over: Partial<ActiveRun> = {}): ActiveRun => ({
  ...base, status: 'running', statusChangedAt: T, stopCriteria: 'all-done', deploymentNum: 1, jobs: facts.replicas, service: facts, ...over,
}); // prettier-ignore
const pending = (facts: ServiceFacts, over: Partial<PendingRun> = {}): PendingRun => ({
  ...base, status: 'pending', resumeAt: null, nextTriggeredAt: null, jobs: facts.replicas, service: facts, ...over,
}); // prettier-ignore

const submit = (...nums: number[]) => ({ do: 'submit-replicas', replicas: nums.map((num) => ({ num, group: '0' })) });
const drain = (...nums: number[]) => ({ do: 'drain', jobIds: nums.map((num) => `j${num}`) });
const end = (...nums: number[]) => ({
  do: 'terminate-jobs', jobIds: nums.map((num) => `j${num}`), reason: 'scaled_down', mode: 'graceful', message: null,
}); // prettier-ignore
const bump = (...nums: number[]) => ({
  do: 'bump-deployment',
  jobIds: nums.map((num) => `j${num}`),
  deploymentNum: 1,
});

const effectsOf = (facts: ServiceFacts, now = T): readonly RunEffect[] => decideRun(run(facts), now).effects;

describe('the replicas of a service', () => {
  it.each<[string, ServiceFacts, object[]]>([
    ['stay as they are', service(2, [ready(0), ready(1)]), []],
    ['are as many as there shall be', service(3, [ready(0)]), [submit(1, 2)]],
    ['get numbers that are free again', service(3, [gone(0), ready(1), gone(2)]), [submit(0, 2)]],
    ['are submitted again when they fail', service(2, [ready(0), failed(1, { retry })]), [submit(1)]],
    ['are not, where nobody asked for it', service(2, [ready(0), failed(1)]), []],
    ['are waited for while they end', service(2, [ready(0), failed(1, { retry, status: 'terminating', finishedAt: null })]), []],
    ['keep their numbers while they wait', service(3, [ready(0), failed(1, { retry, failuresInARow: 2 })]), [submit(2)]],
    ['wait longer when they fail again and again', service(2, [ready(0), failed(1, { retry, failuresInARow: 2 })]), []],
    ['have another try with an update', service(2, [ready(0), failed(1, { deploymentNum: 0 })]), [submit(1)]],
    ['are drained when they are too many, the last first', service(1, [ready(0), ready(1)]), [drain(1)]],
    ['are drained by importance', service(1, [starting(0), ready(1)]), [drain(0)]],
    ['are ended at once when they do not run yet', service(1, [ready(0), submitted(1)]), [end(1)]],
    ['of a group that is no more go', service(1, [ready(0), ready(1, { group: 'extra' })]), [drain(1)]],
    ['that are done have their place', service(2, [ready(0), done(1)]), []],
    ['that were not changed by an update are marked', service(1, [ready(0, { deploymentNum: 0 })]), [bump(0)]],
  ])('%s', (_rule, facts, effects) => expect(effectsOf(facts)).toEqual(effects)); // prettier-ignore

  it('looks again when a failed one may be submitted', () => {
    const facts = service(2, [ready(0), failed(1, { retry, failuresInARow: 3 })]);
    expect(decideRun(run(facts), T).dueAt).toBe(T + 30 * SECOND);
    expect(effectsOf(facts, T + 30 * SECOND)).toEqual([submit(1)]);
  });

  it('belong to their groups', () => {
    const groups = [fixed(1, 'a'), fixed(2, 'b')];
    expect(effectsOf(service(0, [], { groups, scale: { a: { desired: 1, scaledAt: T }, b: { desired: 2, scaledAt: T } } }))).toEqual([
      { do: 'submit-replicas', replicas: [{ num: 0, group: 'a' }, { num: 1, group: 'b' }, { num: 2, group: 'b' }] },
    ]); // prettier-ignore
  });
});

describe('a service', () => {
  it.each<[string, ServiceFacts, object]>([
    ['goes on while one replica does', service(2, [ready(0), failed(1)]), { status: 'running' }],
    ['fails when all replicas have failed', service(2, [failed(0), failed(1)]), { status: 'terminating', changes: { reason: 'job_failed' } }],
    ['tries again, a little later, when all replicas have failed and may be retried', service(2, [failed(0, { retry }), failed(1, { retry })]), { status: 'pending', dueAt: T + 15 * SECOND }],
    ['gives up when no more tries are allowed', service(1, [failed(0, { retry, lastProvisionedEndAt: T - 2 * 3600 * SECOND })]), { status: 'terminating', changes: { reason: 'retry_limit_exceeded' } }],
    ['is done when all of its replicas are', service(2, [done(0), done(1)]), { status: 'terminating', changes: { reason: 'all_jobs_done' } }],
    ['runs as soon as one replica does', service(2, [starting(0), submitted(1)]), { status: 'running' }],
    ['waits for requests when it needs no replica', service(0, [gone(0)], { groups: [elastic] }), { status: 'pending', dueAt: null }],
    ['does not wait before its last replica has gone', service(0, [draining(0)], { groups: [elastic], traffic: traffic({ inFlight: { j0: 1 } }) }), { status: 'running', effects: [] }],
  ])('%s', (_rule, facts, expected) => expect(decideRun(run(facts), T)).toMatchObject(expected)); // prettier-ignore

  it.each<[string, PendingRun, object]>([
    ['sleeps', pending(service(0, [gone(0)], { groups: [elastic] })), { status: 'pending', effects: [], dueAt: null }],
    ['wakes when a request waits', pending(service(0, [gone(0)], { groups: [elastic], traffic: traffic({ held: 1 }) })), { status: 'submitted', effects: [{ do: 'scale', desired: 1 }, submit(0)] }],
    ['tries again', pending(service(2, [failed(0), failed(1)]), { resumeAt: T }), { status: 'submitted', effects: [submit(0, 1)] }],
    ['waits for its next try', pending(service(1, [failed(0)]), { resumeAt: T + 1 }), { status: 'pending', dueAt: T + 1 }],
    ['starts by schedule', pending(service(2, []), { nextTriggeredAt: T }), { status: 'submitted', effects: [submit(0, 1)] }],
  ])('that is pending %s', (_rule, snapshot, expected) => expect(decideRun(snapshot, T)).toMatchObject(expected)); // prettier-ignore
});

describe('a service whose workers know where their router is', () => {
  const groups = [fixed(1, 'router'), fixed(1, 'workers')];
  const scale = { router: { desired: 1, scaledAt: T }, workers: { desired: 1, scaledAt: T } };
  const routed = (router: Replica, worker: Replica, over: Partial<ServiceFacts> = {}) =>
    service(0, [{ ...router, group: 'router' }, { ...worker, group: 'workers' }], {
      groups, scale, router: 'router', endsWithRouter: true, ...over,
    }); // prettier-ignore
  it.each<[string, ServiceFacts, object]>([
    ['ends with its router', routed(failed(0), ready(1)), { status: 'terminating', changes: { reason: 'job_failed' } }],
    ['ends with a router that is done', routed(done(0), ready(1)), { status: 'terminating', changes: { reason: 'all_jobs_done' } }],
    ['ends with it during an update too', routed(failed(0), old(1), { rollout: { deploymentNum: 1, failures: 0, lastFailure: null } }), { status: 'terminating', changes: { reason: 'job_failed' } }],
    ['goes on without a worker', routed(ready(0), failed(1)), { status: 'running' }],
    ['goes on without its router where the workers are told of another one', routed(failed(0), ready(1), { endsWithRouter: false }), { status: 'running' }],
  ])('%s', (_rule, facts, expected) => expect(decideRun(run(facts), T)).toMatchObject(expected)); // prettier-ignore
});

describe('a worker that drains behind a router', () => {
  const groups = [fixed(1, 'router'), fixed(0, 'workers')];
  const behind = (ageMs: number, inFlight: Record<string, number>, over: Partial<ServiceFacts> = {}) =>
    service(0, [ready(0, { group: 'router' }), draining(1, { group: 'workers', drainingSince: T - ageMs })], {
      groups, router: 'router', traffic: traffic({ inFlight, heardSince: T - 20 * MINUTE }), scale: {
        router: { desired: 1, scaledAt: T }, workers: { desired: 0, scaledAt: T },
      }, ...over,
    }); // prettier-ignore
  it.each<[string, ServiceFacts, object[]]>([
    ['stays until the router has heard of it', behind(2 * SECOND, {}, { traffic: traffic({ heardSince: T }) }), []],
    ['stays while the router answers anything: it may be with it', behind(MINUTE, { j0: 1 }), []],
    ['goes when the router answers nothing', behind(MINUTE, { j0: 0 }), [end(1)]],
    ['goes when its time is over', behind(5 * MINUTE, { j0: 1 }), [end(1)]],
  ])('%s', (_rule, facts, effects) => expect(effectsOf(facts)).toEqual(effects)); // prettier-ignore
});

describe('a replica that drains', () => {
  const facts = (seen: ServiceTraffic, drainingSince = T - 2 * SECOND) =>
    service(1, [ready(0), draining(1, { drainingSince })], { traffic: seen });
  it.each<[string, ServiceFacts, object[]]>([
    ['ends when no proxy is there', facts(NO_TRAFFIC), [end(1)]],
    ['is given a moment until the proxies know', facts(NO_TRAFFIC, T - 500), []],
    ['answers what it has got', facts(traffic({ inFlight: { j1: 1 } })), []],
    ['ends when all proxies have spoken since', facts(traffic({ inFlight: { j0: 3 } })), [end(1)]],
    ['waits for those that have not', facts(traffic({ heardSince: T - 3 * SECOND })), []],
    ['does not wait for those that have nothing to say', facts(traffic({ heardSince: T - 11 * SECOND }), T - 10 * SECOND), [end(1)]],
    ['ends when its time is over', facts(traffic({ inFlight: { j1: 1 } }), T - 5 * MINUTE), [end(1)]],
  ])('%s', (_rule, seen, effects) => expect(effectsOf(seen)).toEqual(effects)); // prettier-ignore

  it('is looked at soon', () => {
    expect(decideRun(run(facts(traffic({ inFlight: { j1: 1 } }))), T).dueAt).toBe(T + SECOND);
  });
});

describe('scaling', () => {
  const busy = traffic({ groups: { '0': [{ seconds: 60, requests: 180, meanMs: 1 }] } });
  it('adds replicas for the requests there are, and says so', () => {
    const facts = service(1, [ready(0)], { groups: [elastic], traffic: busy });
    expect(effectsOf(facts)).toEqual([
      {
        do: 'scale',
        desired: 3,
        scale: { '0': { desired: 3, scaledAt: T } },
        because: 'Replicas: 1 -> 3 (3 requests per second in the last 60 s, 1 per replica)',
      },
      submit(1, 2),
    ]);
  });

  it('is of each group by its own requests', () => {
    const groups = [elastic, { ...elastic, name: 'big' }];
    const scale = { '0': { desired: 1, scaledAt: 0 }, big: { desired: 1, scaledAt: 0 } };
    const [effect] = effectsOf(service(1, [ready(0), ready(1, { group: 'big' })], { groups, scale, traffic: busy }));
    expect(effect).toMatchObject({ do: 'scale', scale: { '0': { desired: 3 }, big: { desired: 0 } } });
  });

  it('behind a router are as many as it is asked for, in each group', () => {
    const windows = [{ seconds: 60, requests: 150, meanMs: 10 }];
    const groups = [fixed(1, 'router'), { ...elastic, name: 'prefill' }, { ...elastic, name: 'decode' }];
    const facts = (load: Partial<ServiceTraffic>) =>
      service(0, [], { groups, scale: {}, router: 'router', traffic: traffic(load) });
    const desired = (load: Partial<ServiceTraffic>): number[] => {
      const effect = effectsOf(facts(load)).find((each) => each.do === 'scale');
      return groups.map(({ name }) => effect?.scale[name]?.desired ?? -1);
    };
    expect(desired({ groups: { router: windows } })).toEqual([1, 3, 3]);
    // What waits for the router needs workers next.
    expect(desired({ held: 1 })).toEqual([1, 1, 1]);
    expect(desired({ groups: { prefill: windows } })).toEqual([1, 0, 0]);
  });

  it('wakes one group for a request that waits', () => {
    const groups = [elastic, { ...elastic, name: 'big' }];
    const facts = service(0, [], { groups, scale: {}, traffic: traffic({ held: 5 }) });
    expect(decideRun(pending(facts), T).effects).toContainEqual({
      do: 'submit-replicas',
      replicas: [{ num: 0, group: '0' }],
    });
  });

  it('leaves the one alone that they wait for', () => {
    const facts = service(1, [submitted(0)], { groups: [{ ...elastic, scaling: { ...elastic.scaling, downDelayMs: 0 } }], traffic: traffic({ held: 1 }) }); // prettier-ignore
    expect(effectsOf(facts)).toEqual([]);
  });

  it('remembers what it begins with', () => {
    expect(effectsOf(service(2, [ready(0), ready(1)], { scale: {} }))).toEqual([
      { do: 'scale', desired: 2, scale: { '0': { desired: 2, scaledAt: T } }, because: null },
    ]);
  });
});

describe('an update', () => {
  const rollout = { deploymentNum: 1, failures: 0, lastFailure: null };
  const rolling = (count: number, replicas: Replica[], over: Partial<ServiceFacts> = {}) =>
    service(count, replicas, { rollout, ...over });
  it.each<[string, ServiceFacts, object[]]>([
    ['begins with one more replica', rolling(2, [old(0), old(1)]), [submit(2)]],
    ['waits until it is ready', rolling(2, [old(0), old(1), starting(2)]), []],
    ['then drains an old one', rolling(2, [old(0), old(1), ready(2)]), [drain(1)]],
    ['waits until that has gone', rolling(2, [old(0), draining(1, { isUpToDate: false, drainingSince: T }), ready(2)]), []],
    ['goes on with the next', rolling(2, [old(0), gone(1), ready(2)]), [submit(1)]],
    ['ends with the last old one', rolling(2, [old(0), ready(1), ready(2)]), [drain(0)]],
    ['is complete when all are new and ready', rolling(2, [gone(0), ready(1), ready(2)]), [{ do: 'end-rollout' }]],
    ['is not complete before', rolling(2, [gone(0), ready(1), starting(2)]), []],
    ['replaces at once what gets no requests', rolling(2, [old(0, { status: 'submitted', isReady: false }), old(1, { isReady: false })]), [submit(2), drain(1), end(0)]],
    ['tries again with a new replica that failed, though nobody asked for retries', rolling(1, [old(0), failed(1)], { rollout: { ...rollout, failures: 1 } }), [submit(1)]],
    ['pauses, longer and longer, while the new one fails', rolling(1, [old(0), failed(1, { failuresInARow: 2 })], { rollout: { ...rollout, failures: 2 } }), []],
    ['does nothing else meanwhile', rolling(2, [old(0), old(1), failed(2, { failuresInARow: 2 })], { rollout: { ...rollout, failures: 2 } }), []],
    ['is taken back when it failed too often', rolling(1, [old(0), failed(1)], { rollout: { ...rollout, failures: 3, lastFailure: 'exited (1)' } }), [{ do: 'roll-back', because: 'its replicas failed 3 times before they were ready, the last one: exited (1)' }]],
    ['is taken back when a new replica never gets ready', rolling(1, [old(0), starting(1, { runningAt: T - LIMITS.rolloutReadyMs })]), [{ do: 'roll-back', because: 'a replica was not ready 30 minutes after it began to run' }]],
    ['that was taken back leaves the old replicas alone', service(1, [ready(0, { deploymentNum: 0 }), starting(1, { isUpToDate: false })]), [bump(0), drain(1)]],
    ['of the count restarts nothing', service(3, [ready(0, { deploymentNum: 0 })]), [submit(1, 2), bump(0)]],
    ['never has more than one more', rolling(1, [old(0), draining(1, { isUpToDate: false, drainingSince: T })]), []],
  ])('%s', (_rule, facts, effects) => expect(effectsOf(facts)).toEqual(effects)); // prettier-ignore
});

describe('a service that its gateway does not serve', () => {
  const asleep = (isLasting: boolean, over: Partial<PendingRun> = {}) =>
    pending(service(0, [], { groups: [elastic], gatewayRefusal: { since: T, isLasting } }), over);
  it.each<[string, PendingRun, object]>([
    ['ends where nothing will change', asleep(true), { status: 'terminating', changes: { reason: 'gateway_error' }, effects: [] }],
    ['sleeps on where that may pass', asleep(false), { status: 'pending' }],
    ['is looked at when its schedule says so', asleep(true, { nextTriggeredAt: T + 1 }), { status: 'pending', dueAt: T + 1 }],
  ])('without replicas %s', (_rule, snapshot, expected) => expect(decideRun(snapshot, T)).toMatchObject(expected)); // prettier-ignore

  const refused = (over: object) =>
    decideRun(run(service(1, [ready(0)], { gatewayRefusal: { since: T, isLasting: false, ...over } })), T);

  it('is given time, as that may pass', () => {
    expect(refused({})).toMatchObject({ status: 'running', dueAt: T + LIMITS.gatewayRefusalMs });
  });

  it.each([
    ['at once when it cannot pass', { isLasting: true }],
    ['when it does not pass', { since: T - LIMITS.gatewayRefusalMs }],
  ])('fails %s', (_when, over) => {
    expect(refused(over)).toMatchObject({ status: 'terminating', changes: { reason: 'gateway_error' } });
  });
});
