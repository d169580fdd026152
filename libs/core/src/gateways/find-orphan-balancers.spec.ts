import { findOrphanBalancers } from './find-orphan-balancers.js';

const listed = (...names: string[]) => names.map((cloudName) => ({ cloudName, region: 'eu' }));

it.each<[string, string[], string[], boolean, [string, boolean][]]>([
  ['that no gateway has is deleted', ['a'], [], false, [['a', true]]],
  ['of a gateway is left alone', ['a'], ['a'], false, []],
  ['is an orphan beside that of a gateway', ['a', 'b'], ['a', 'c'], false, [['b', true]]],
  ['that no gateway has is only told of in quarantine', ['a'], [], true, [['a', false]]],
  ['that is not there is none', [], ['a'], false, []],
])('a load balancer %s', (_rule, inCloud, known, isQuarantined, expected) => {
  const found = findOrphanBalancers(listed(...inCloud), known, isQuarantined);
  expect(found.map(({ balancer, mayBeDeleted }) => [balancer.cloudName, mayBeDeleted])).toEqual(expected);
});
