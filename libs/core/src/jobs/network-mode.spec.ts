import { type JobNetworks, networkModeOf } from './network-mode.js';

const whole = { nodes: 1, isWhole: true, isBesideOthers: false };

it.each<[JobNetworks, Partial<typeof whole>, string]>([
  ['host-of-whole-machines', {}, 'host'],
  ['host-of-whole-machines', { nodes: 2 }, 'host'],
  ['host-of-whole-machines', { isWhole: false }, 'bridge'],
  ['host-of-whole-machines', { isBesideOthers: true }, 'bridge'],
  ['host-between-nodes', {}, 'bridge'],
  ['host-between-nodes', { nodes: 2 }, 'host'],
  ['host-between-nodes', { nodes: 2, isWhole: false }, 'bridge'],
  ['own', {}, 'bridge'],
  ['own', { nodes: 2 }, 'bridge'],
])('%s, %j: %s', (networks, change, expected) => {
  expect(networkModeOf(networks, { ...whole, ...change })).toBe(expected);
});
