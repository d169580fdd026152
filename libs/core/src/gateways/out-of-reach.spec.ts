import type { InternalBackendType } from '../wire/internal-values.js';
import { leftOutForGateway, whyOutOfReach } from './out-of-reach.js';

it.each<[InternalBackendType[], boolean]>([
  [[], false],
  [['local'], true],
  [['runpod', 'vastai', 'kubernetes'], false],
  [['local', 'aws'], false],
  [['remote'], false],
])('replicas on %j are out of reach of a gateway: %s', (backends, expected) => {
  expect(whyOutOfReach('edge', backends)).toEqual(expected ? expect.stringContaining('gateway: false') : null);
});

it('the plan of a service tells which backends its gateway does not reach', () => {
  expect(leftOutForGateway('edge', ['aws', 'local', 'remote'])).toEqual([
    'local: left out, as gateway edge reaches no replica there',
  ]);
});
