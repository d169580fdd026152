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
  ['a fleet of an older server becomes active', fleet({ status: 'submitted' }), T, { status: 'active', effects: [], dueAt: T }],
  ['a full fleet needs no look', fleet(), T, { status: 'active', effects: [], dueAt: null }],
  ['missing nodes are made after a minute', fleet({ activeCount: 1 }), T, { status: 'active', effects: [], dueAt: T + MIN }],
  ['and then created', fleet({ activeCount: 1 }), T + MIN, { status: 'active', effects: [{ do: 'create-instances', count: 1 }] }],
  ['ever more slowly', fleet({ activeCount: 1, consolidationAttempt: 2, lastConsolidatedAt: T }), T + MIN, { status: 'active', effects: [], dueAt: T + 5 * MIN }],
  ['until a person has to look', fleet({ activeCount: 1, consolidationAttempt: 15 }), T + 100 * MIN, { status: 'active', effects: [], dueAt: null }],
  ['a node that is being terminated still counts', fleet({ activeCount: 1, terminatingCount: 1 }), T + MIN, { status: 'active', effects: [] }],
  ['too many idle nodes go', fleet({ activeCount: 5, idleIds: ['a', 'b'] }), T, { status: 'active', effects: [{ do: 'terminate-instances', instanceIds: ['a'] }] }],
  ['busy nodes that are too many stay until they are idle', fleet({ activeCount: 5 }), T, { status: 'active', effects: [] }],
  ['a fleet without an upper end has none too many', fleet({ nodes: { min: 0, target: 0, max: null }, activeCount: 50, idleIds: ['a'] }), T, { status: 'active', effects: [] }],
  ['a full fleet forgets its tries after a minute', fleet({ consolidationAttempt: 3, lastConsolidatedAt: T }), T, { status: 'active', effects: [], dueAt: T + MIN }],
  ['a fleet of given hosts makes none', fleet({ nodes: null, activeCount: 0 }), T + MIN, { status: 'active', effects: [] }],
  ['a fleet that is deleted ends its instances', ending({ liveInstanceIds: ['a'] }), T, { status: 'terminating', effects: [{ do: 'terminate-instances', instanceIds: ['a'] }] }],
  ['waits for runs', ending({ unfinishedRuns: 1 }), T, { status: 'terminating', effects: [] }],
  ['and is gone when nothing is left', ending(), T, { status: 'terminated', effects: [] }],
])('%s', (_rule, snapshot, now, expected) => {
  const { status, effects, dueAt } = decideFleet(snapshot, now);
  expect({ status, effects: [...effects], dueAt }).toMatchObject(expected);
}); // prettier-ignore

it('a fleet that stayed full starts to count its tries anew', () => {
  const { changes } = decideFleet(fleet({ consolidationAttempt: 3, lastConsolidatedAt: T }), T + MIN);
  expect(changes).toEqual({ consolidationAttempt: 0 });
});

it.each(['terminated', 'failed'] as const)('a fleet that is %s stays so', (status) => {
  expect(decideFleet({ id: 'f', createdAt: T, status }, T)).toEqual({
    status, changes: {}, effects: [], dueAt: null, because: null,
  }); // prettier-ignore
});
