import { expect, it } from '@jest/globals';
import { fleet, group, instance, requirements, resources, gpus, ask } from '../../test/placement-builders.js';
import { chooseResumptions, type FreeCapacity, type WaitingRun } from './choose-resumptions.js';
import type { PlacementGroup } from './placement-input.js';

type Told = Partial<WaitingRun['because']['explanation']>;
const waits = (runId: string, of: Partial<PlacementGroup> & { isResumed?: boolean; told?: Told } = {}): WaitingRun => {
  const { isResumed = false, told = {}, ...rest } = of;
  const explanation = { obstacles: [], reliefs: [], fullFleetIds: [], thisMachineIsFull: false, ...told };
  return { group: group({ runId, ...rest }), because: { refusedAt: 100, explanation }, isResumed };
};
const free = (changes: Partial<FreeCapacity> = {}): FreeCapacity => ({
  instances: [],
  absent: [],
  fleets: [fleet()],
  thisMachineFreedAt: null,
  ...changes,
});
const one = free({ instances: [instance()] });
const full: Told = { fullFleetIds: ['f'] };
const here: Told = { thisMachineIsFull: true };
const many = (count: number, told: Told) => Array.from({ length: count }, (_, n) => waits(`r${n}`, { told, submittedAt: n })); // prettier-ignore
const gang = group({ jobIds: ['a', 'b'], asks: [ask({ requirements: requirements({}, { multinode: true }) })] });
const wantsGpu = group({ asks: [ask({ requirements: requirements({ gpu: { count: { min: 1, max: null } } }) })] });

it.each<[string, string[], string[]]>([
  ['nobody without capacity', chooseResumptions([waits('a')], free()), []],
  ['whoever fits on what came free', chooseResumptions([waits('a')], one), ['a']],
  ['as many as fit', chooseResumptions([waits('a'), waits('b', { submittedAt: 2 })], one), ['a']],
  ['the highest priority', chooseResumptions([waits('a'), waits('b', { priority: 1, submittedAt: 2 })], one), ['b']],
  ['the oldest', chooseResumptions([waits('a', { submittedAt: 5 }), waits('b')], one), ['b']],
  ['a smaller one, when the first does not fit', chooseResumptions([waits('a', { candidates: wantsGpu.candidates }), waits('b', { submittedAt: 2 })], one), ['b']],
  ['a single job, when a gang ahead finds only half', chooseResumptions([waits('a', { jobs: gang.jobs, candidates: gang.candidates, priority: 1 }), waits('b')], one), ['b']],
  ['nobody for what somebody is on the way to', chooseResumptions([waits('a', { isResumed: true }), waits('b', { submittedAt: 2 })], one), []],
  ['nobody while the host is away', chooseResumptions([waits('a')], free({ instances: [instance({ unreachable: true })] })), []],
  ['who needs a free block', chooseResumptions([waits('a', { candidates: wantsGpu.candidates })], free({ instances: [instance({ status: 'busy', totalBlocks: 2, busyBlocks: 1, instanceType: { name: 'm', resources: resources({ gpus: gpus(2), memory_mib: 1 << 17 }) } })] })), ['a']],
  ['who needs a machine more in a fleet that was full', chooseResumptions([waits('a', { told: full })], free({ fleets: [fleet({ activeCount: 1, maxNodes: 2 })] })), ['a']],
  ['no more of them than machines', chooseResumptions(many(3, full), free({ fleets: [fleet({ activeCount: 1, maxNodes: 3 })] })), ['r0', 'r1']],
  ['nobody while the fleet is full', chooseResumptions([waits('a', { told: full })], free({ fleets: [fleet({ activeCount: 2, maxNodes: 2 })] })), []],
  ['nobody for a cloud that had nothing', chooseResumptions([waits('a')], free({ fleets: [fleet({ activeCount: 1, maxNodes: 2 })] })), []],
  ['who waits for this machine when it gets room', chooseResumptions([waits('a', { told: here })], free({ thisMachineFreedAt: 101 })), ['a']],
  ['nobody when it got room before it was refused', chooseResumptions([waits('a', { told: here })], free({ thisMachineFreedAt: 99 })), []],
  ['a few at a time on this machine', chooseResumptions(many(9, here), free({ thisMachineFreedAt: 101 })), ['r0', 'r1', 'r2', 'r3', 'r4']],
])('resumes %s', (_rule, actual, expected) => expect(actual).toEqual(expected)); // prettier-ignore
