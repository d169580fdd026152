import { laneOf, type LaneReplica } from './lane.js';

const replica = (name: string, forMs = 0, stands = true, isReady = true): LaneReplica => ({
  isReady,
  tunnel: { path: name, stands, forMs },
});
const without: LaneReplica = { isReady: true, tunnel: null };

it.each<[string, LaneReplica[], string[], boolean, string[]]>([
  ['none of no replicas', [], [], true, []],
  ['those that stand', [replica('b'), replica('a')], [], true, ['a', 'b']],
  ['replicas at one place share theirs', [replica('a'), replica('a')], [], true, ['a']],
  ['no new ones while nginx may not be reloaded', [replica('a'), replica('b')], ['a'], false, ['a']],
  ['not that of a replica that was taken out', [replica('b')], ['a', 'b'], false, ['b']],
  ['none while one of them cannot have any', [replica('a'), without], ['a'], true, []],
  ['a new one is waited for', [replica('a'), replica('b', 100, false)], ['a'], true, ['a']],
  ['a new one is not waited for for ever', [replica('a'), replica('b', 30_000, false)], ['a'], true, []],
  ['one that nginx must not get shall not starve', [replica('a'), replica('b', 30_000)], ['a'], false, []],
  ['one that broke just now stays', [replica('a'), replica('b', 100, false)], ['a', 'b'], true, ['a', 'b']],
  ['one that broke a while ago does not', [replica('a'), replica('b', 30_000, false)], ['a', 'b'], true, []],
  ['a replica that nobody may ask is not missed', [replica('a'), replica('b', 30_000, false, false)], ['a'], true, ['a']], // prettier-ignore
])('%s', (_what, replicas, former, mayGrow, expected) => {
  expect(laneOf({ replicas, former, mayGrow })).toEqual(expected);
});
