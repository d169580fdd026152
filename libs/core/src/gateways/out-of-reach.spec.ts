import { whyOutOfReach } from './out-of-reach.js';

it.each<[string[], boolean]>([
  [[], false],
  [['local'], true],
  [['runpod', 'vastai', 'kubernetes'], false],
  [['local', 'aws'], false],
  [['remote'], false],
])('replicas on %j are out of reach of a gateway: %s', (backends, expected) => {
  expect(whyOutOfReach('edge', backends)).toEqual(expected ? expect.stringContaining('gateway: false') : null);
});
