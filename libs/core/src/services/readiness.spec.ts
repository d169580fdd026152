import {
  afterProbe,
  getsRequests,
  goesOn,
  isReplicaReady,
  isWorthTelling,
  probePauseMs,
  type ProbeState,
  UNPROBED,
} from './readiness.js';

const rule = { ready_after: 2, until_ready: false };
const after = (answers: string, from: ProbeState = UNPROBED): ProbeState =>
  [...answers].reduce((state, answer) => afterProbe(state, rule, answer === '+'), from);

describe('a probe', () => {
  it.each([
    ['', false],
    ['+', false],
    ['++', true],
    ['+-+', false],
    ['++-', true],
    ['++--', true],
    ['++---', false],
    ['++--+', true],
    ['++---+', false],
    ['++---++', true],
    ['++--+--', true],
  ])('after %j is ready: %p', (answers, isReady) => {
    expect(after(answers).isReady).toBe(isReady);
  });

  it('counts in a row', () => {
    expect(after('+++')).toMatchObject({ successStreak: 3, failureStreak: 0 });
    expect(after('+++--')).toMatchObject({ successStreak: 0, failureStreak: 2 });
  });

  it.each([
    [false, '++', true],
    [true, '+', true],
    [true, '++', false],
  ])('until_ready %p after %j goes on: %p', (untilReady, answers, expected) => {
    expect(goesOn(after(answers), { ...rule, until_ready: untilReady })).toBe(expected);
  });
});

it('takes all probes to be ready, and none when there are none', () => {
  expect([isReplicaReady([]), isReplicaReady([after('++')]), isReplicaReady([after('++'), after('+')])]).toEqual([
    true,
    true,
    false,
  ]);
});

it.each([
  ['', '-', false],
  ['', '+', true],
  ['+', '+', true],
  ['++', '+', false],
  ['++', '-', true],
  ['++-', '-', false],
  ['++--', '-', true],
])('after %j, %j is worth telling: %p', (before, answer, expected) => {
  expect(isWorthTelling(after(before), after(answer, after(before)), rule)).toBe(expected);
});

it.each([
  ['-', 500],
  ['--', 1000],
  ['---------', 15_000],
  ['+', 15_000],
  ['++---', 2000],
])('after %j asks again in %i ms', (answers, pauseMs) => {
  expect(probePauseMs(after(answers), 15_000)).toBe(pauseMs);
});

it.each<[string, boolean, boolean, { readonly isServed: boolean } | null, boolean]>([
  ['that answers, behind this server', true, false, null, true],
  ['that does not answer', false, false, { isServed: true }, false],
  ['that its gateway serves', true, false, { isServed: true }, true],
  ['that its gateway does not serve yet', true, false, { isServed: false }, false],
  ['that its router serves, whatever the gateway does', true, true, { isServed: false }, true],
])('a replica %s gets requests, or not', (_what, isRegistered, isWorker, atGateway, expected) => {
  expect(getsRequests({ isRegistered, isWorker }, atGateway)).toBe(expected);
});
