import { ReplicaSet } from './replica-set.js';

const limits = { connections: 1, answerMs: 1_000 };
const connect = () => Promise.reject(new Error('nobody is asked here'));

it('asks those that there is a way to', () => {
  const ready = new Set(['b']);
  const set = new ReplicaSet({ limits, now: () => 0, random: () => 0 });
  set.update(['a', 'b'].map((id) => ({ id, group: '0', connect, isReady: () => ready.has(id) })));
  expect([set.isEmpty, set.pick(new Set())?.id, set.pick(new Set(['b']))]).toEqual([false, 'b', null]);
  ready.clear();
  expect([set.isEmpty, set.pick(new Set())]).toEqual([true, null]);
  ready.add('a');
  expect(set.pick(new Set())?.id).toBe('a');
});

it('lets one go when what it does has ended, once', () => {
  const released: string[] = [];
  const target = (id: string) => ({ id, group: '0', connect, release: () => void released.push(id) });
  const set = new ReplicaSet({ limits, now: () => 0, random: () => 0 });
  set.update([target('busy'), target('idle')]);
  const busy = set.pick(new Set(['idle']));
  busy?.begin();
  busy?.begin();
  set.update([]);
  expect([released, set.inFlight()]).toEqual([['idle'], { busy: 2 }]);
  busy?.end();
  expect(released).toEqual(['idle']);
  busy?.end();
  expect([released, set.inFlight()]).toEqual([['idle', 'busy'], {}]);
});

it('says what the last request of each met, when that is another thing than before', () => {
  let told = 0;
  const set = new ReplicaSet({ limits, now: () => 0, random: () => 0, onProblem: () => (told += 1) });
  set.update([{ id: 'a', group: '0', connect }]);
  const replica = set.pick(new Set());
  replica?.answered();
  expect([set.problemOf('a'), set.problemOf('none'), told]).toEqual([null, null, 0]);
  replica?.failed(0, 'it hung up');
  replica?.failed(1, 'it hung up');
  expect([set.problemOf('a'), told]).toEqual(['it hung up', 1]);
  replica?.answered();
  expect([set.problemOf('a'), told]).toEqual([null, 2]);
});
