import { type FleetPeer, fleetSurplus } from './fleet-surplus.js';

const T = 1_000_000;
const peer = (id: string, over: Partial<FleetPeer> = {}): FleetPeer => ({
  id,
  isIdle: true,
  idleSince: T,
  statusChangedAt: T,
  idleSeconds: 300,
  ...over,
});
const one = peer('m');

it.each<[string, number, FleetPeer[], { machines: number; goFirst: number }]>([
  ['a fleet that always wants none can spare all', 0, [one, peer('a')], { machines: Infinity, goFirst: 0 }],
  ['one that wants two of three can spare one', 2, [one, peer('n'), peer('o')], { machines: 1, goFirst: 0 }],
  ['one that has too few spares none', 2, [one], { machines: -1, goFirst: 0 }],
  ['those that idle for longer go first', 1, [one, peer('z', { idleSince: T - 1 })], { machines: 1, goFirst: 1 }],
  ['those that may idle for longer go later', 1, [one, peer('a', { idleSeconds: 301 })], { machines: 1, goFirst: 0 }],
  ['of those whose time ends together the lower id', 1, [one, peer('a'), peer('z')], { machines: 2, goFirst: 1 }],
  ['those that idle for ever never go', 1, [one, peer('a', { idleSeconds: -1 })], { machines: 1, goFirst: 0 }],
  ['nor those of which no time is known', 1, [one, peer('a', { idleSeconds: null })], { machines: 1, goFirst: 0 }],
  ['nor those at work', 1, [one, peer('a', { isIdle: false })], { machines: 1, goFirst: 0 }],
  [
    'where nobody noted since when one idles, it does since its status changed',
    1,
    [one, peer('z', { idleSince: null, statusChangedAt: T - 1 })],
    { machines: 1, goFirst: 1 },
  ],
])('%s', (_rule, min, peers, surplus) => {
  expect(fleetSurplus(min, one, peers)).toEqual(surplus);
});
