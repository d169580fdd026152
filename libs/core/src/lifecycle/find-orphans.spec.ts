import { findOrphans, type KnownAttempt, type ListedFact } from './find-orphans.js';

const machine = (over: Partial<ListedFact> = {}): ListedFact => ({
  machineId: 'm-1',
  cloudName: 'a',
  token: 't',
  ...over,
});
const attempt = (over: Partial<KnownAttempt> = {}): KnownAttempt => ({
  cloudName: 'a',
  token: 't',
  machineId: null,
  isOver: false,
  ...over,
});

it.each<[string, ListedFact, KnownAttempt[], string | null]>([
  ['is being made', machine(), [attempt()], null],
  ['is in use', machine(), [attempt({ machineId: 'm-1' })], null],
  ['is known by its token only', machine({ cloudName: '' }), [attempt()], null],
  ['is known by its name only', machine({ token: null }), [attempt()], null],
  ['nobody asked for', machine(), [attempt({ cloudName: 'b', token: 'u' })], 'no instance of this server is behind it'],
  ['outlived its instance', machine(), [attempt({ isOver: true, machineId: 'm-1' })], 'its instance has ended'],
  [
    'was made twice',
    machine({ machineId: 'm-2' }),
    [attempt({ machineId: 'm-1' })],
    'its instance has another machine',
  ],
  ['has an open attempt beside one that is over', machine(), [attempt({ isOver: true }), attempt()], null],
])('a machine that %s', (_what, listed, attempts, because) => {
  expect(findOrphans([listed], attempts)).toEqual(because === null ? [] : [{ machine: listed, because }]);
});

it('a cloud that keeps no token does not make all its machines one', () => {
  const listed = [machine({ cloudName: 'x', token: null })];
  expect(findOrphans(listed, [attempt()])).toHaveLength(1);
});
