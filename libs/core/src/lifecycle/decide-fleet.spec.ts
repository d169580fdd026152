import { expect, it } from '@jest/globals';
import {
  type ActiveFleet,
  decideFleet,
  type EndingFleet,
  type FleetInstance,
  type FleetSnapshot,
} from './decide-fleet.js';

const T = 1_000_000_000;
const MIN = 60_000;
const some = (state: FleetInstance['state'], count: number, more: Partial<FleetInstance> = {}): FleetInstance[] =>
  Array.from({ length: count }, (_, n) => ({ id: `${state}-${n}`, state, fits: true, ...more }));
const fleet = (over: Partial<ActiveFleet> = {}): ActiveFleet => ({
  id: 'f', createdAt: T, status: 'active', nodes: { min: 2, target: 2, max: 4 }, instances: some('busy', 2), consolidationAttempt: 0,
  lastConsolidatedAt: null, ...over,
}); // prettier-ignore
const ending = (over: Partial<EndingFleet> = {}): EndingFleet => ({
  id: 'f',
  createdAt: T,
  status: 'terminating',
  liveInstanceIds: [],
  unfinishedRuns: 0,
  ...over,
});
const dismiss = (reason: string, ...instanceIds: string[]) => ({ do: 'dismiss-instances', reason, instanceIds });

it.each<[string, FleetSnapshot, number, { status: string; effects: object[]; dueAt?: number | null }]>([
  ['a fleet of an older server becomes active', fleet({ status: 'submitted' }), T, { status: 'active', effects: [], dueAt: T }],
  ['a full fleet needs no look', fleet(), T, { status: 'active', effects: [], dueAt: null }],
  ['missing nodes are made after a minute', fleet({ instances: some('busy', 1) }), T, { status: 'active', effects: [], dueAt: T + MIN }],
  ['and then created', fleet({ instances: some('busy', 1) }), T + MIN, { status: 'active', effects: [{ do: 'create-instances', count: 1 }] }],
  ['ever more slowly', fleet({ instances: [], consolidationAttempt: 2, lastConsolidatedAt: T }), T + MIN, { status: 'active', effects: [], dueAt: T + 5 * MIN }],
  ['until a person has to look', fleet({ instances: [], consolidationAttempt: 15 }), T + 100 * MIN, { status: 'active', effects: [], dueAt: null }],
  ['after an update at once', fleet({ instances: [], lastConsolidatedAt: 0 }), T, { status: 'active', effects: [{ do: 'create-instances', count: 2 }] }],
  ['no more than the least number', fleet({ nodes: { min: 2, target: 4, max: 4 }, instances: [] }), T + MIN, { status: 'active', effects: [{ do: 'create-instances', count: 2 }] }],
  ['a node that is being terminated still counts', fleet({ instances: [...some('idle', 1), ...some('going', 1)] }), T + MIN, { status: 'active', effects: [] }],
  ['a node that is starting counts', fleet({ instances: some('starting', 2) }), T + MIN, { status: 'active', effects: [] }],
  ['too many idle nodes go', fleet({ instances: [...some('busy', 3), ...some('idle', 2)] }), T, { status: 'active', effects: [dismiss('max_instances_limit', 'idle-0')] }],
  ['those that are going are not too many', fleet({ instances: [...some('busy', 3), ...some('going', 2), ...some('idle', 1)] }), T, { status: 'active', effects: [] }],
  ['busy nodes that are too many stay until they are idle', fleet({ instances: some('busy', 5) }), T, { status: 'active', effects: [] }],
  ['a fleet without an upper end has none too many', fleet({ nodes: { min: 0, target: 0, max: null }, instances: some('idle', 50) }), T, { status: 'active', effects: [] }],
  ['what the fleet would not make any more goes', fleet({ instances: [...some('idle', 1, { fits: false }), ...some('starting', 1, { fits: false })] }), T, { status: 'active', effects: [dismiss('fleet_spec_mismatch', 'idle-0', 'starting-0')] }],
  ['unless jobs are on it', fleet({ instances: some('busy', 2, { fits: false }) }), T, { status: 'active', effects: [], dueAt: null }],
  ['or it is going already', fleet({ instances: some('going', 2, { fits: false }) }), T, { status: 'active', effects: [] }],
  ['misfits go before others are too many', fleet({ nodes: { min: 0, target: 0, max: 1 }, instances: [{ id: 'old', state: 'idle', fits: false }, ...some('idle', 2)] }), T, { status: 'active', effects: [dismiss('fleet_spec_mismatch', 'old'), dismiss('max_instances_limit', 'idle-0')] }],
  ['a full fleet forgets its tries after a minute', fleet({ consolidationAttempt: 3, lastConsolidatedAt: T }), T, { status: 'active', effects: [], dueAt: T + MIN }],
  ['a fleet of given hosts makes none', fleet({ nodes: null, instances: [] }), T + MIN, { status: 'active', effects: [] }],
  ['a fleet that is deleted ends its instances', ending({ liveInstanceIds: ['a'] }), T, { status: 'terminating', effects: [dismiss('terminated_by_user', 'a')] }],
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
