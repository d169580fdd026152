import { expect, it } from '@jest/globals';
import { type ActiveFleet, decideFleet, type EndingFleet, type FleetSnapshot } from './decide-fleet.js';

const T = 1_000_000_000;
const MIN = 60_000;
const fleet = (over: Partial<ActiveFleet> = {}): ActiveFleet => ({
  id: 'f', createdAt: T, status: 'active', nodes: { min: 2, target: 2, max: 4 }, activeCount: 2, terminatingCount: 0, idleIds: [],
  consolidationAttempt: 0, lastConsolidatedAt: null, ...over,
}); // prettier-ignore
const ending = (over: Partial<EndingFleet> = {}): EndingFleet => ({
  id: 'f',
  createdAt: T,
  status: 'terminating',
  liveInstanceIds: [],
  unfinishedRuns: 0,
  ...over,
});

it.each<[string, FleetSnapshot, number, { status: string; effects: object[]; dueAt?: number | null }]>([
  ['a full fleet needs no look', fleet(), T, { status: 'active', effects: [], dueAt: null }],
  ['missing nodes are made after a minute', fleet({ activeCount: 1 }), T, { status: 'active', effects: [], dueAt: T + MIN }],
  ['and then created', fleet({ activeCount: 1 }), T + MIN, { status: 'active', effects: [{ do: 'create-instances', count: 1 }] }],
  ['ever more slowly', fleet({ activeCount: 1, consolidationAttempt: 2, lastConsolidatedAt: T }), T + MIN, { status: 'active', effects: [], dueAt: T + 5 * MIN }],
  ['until a person has to look', fleet({ activeCount: 1, consolidationAttempt: 15 }), T + 100 * MIN, { status: 'active', effects: [], dueAt: null }],
  ['a node that is being terminated still counts', fleet({ activeCount: 1, terminatingCount: 1 }), T + MIN, { status: 'active', effects: [] }],
  ['too many idle nodes go', fleet({ activeCount: 5, idleIds: ['a', 'b'] }), T, { status: 'active', effects: [{ do: 'terminate-instances', instanceIds: ['a'] }] }],
  ['a fleet of given hosts makes none', fleet({ nodes: null, activeCount: 0 }), T + MIN, { status: 'active', effects: [] }],
  ['a fleet that is deleted ends its instances', ending({ liveInstanceIds: ['a'] }), T, { status: 'terminating', effects: [{ do: 'terminate-instances', instanceIds: ['a'] }] }],
  ['waits for runs', ending({ unfinishedRuns: 1 }), T, { status: 'terminating', effects: [] }],
  ['and is gone when nothing is left', ending(), T, { status: 'terminated', effects: [] }],
])('%s', (_rule, snapshot, now, expected) => {
  const { status, effects, dueAt } = decideFleet(snapshot, now);
  expect({ status, effects: [...effects], dueAt }).toMatchObject(expected);
}); // prettier-ignore
