import { divideIntoBlocks, divisibleOffers, shareName, shareOfResources } from './blocks.js';
import { offerOfInstance } from './instance-offer.js';
import { filtersOfProfile } from './offer-filters.js';
import { gpus, instance, requirements, resources } from '../../test/planning-builders.js';

it.each([
  ['explicit', resources({ cpus: 64, gpus: gpus(8) }), 4, { ok: true, blocks: 4 }],
  ['auto is one per gpu', resources({ cpus: 64, gpus: gpus(8) }), 'auto', { ok: true, blocks: 8 }],
  ['auto is one per cpu without gpu', resources({ cpus: 16 }), 'auto', { ok: true, blocks: 16 }],
  [
    'gpus must divide',
    resources({ cpus: 9, gpus: gpus(8) }),
    3,
    { ok: false, text: '8 gpus cannot be divided into 3 blocks' },
  ],
  [
    'cpus must divide',
    resources({ cpus: 10, gpus: gpus(4) }),
    'auto',
    { ok: false, text: '10 cpus cannot be divided into 4 blocks' },
  ],
  ['no gpus divide into anything', resources({ cpus: 8 }), 4, { ok: true, blocks: 4 }],
  [
    'a TPU is one device',
    resources({ cpus: 8, gpus: gpus(1, 'v5litepod-8', 0, 'google') }),
    2,
    { ok: false, text: '1 gpus cannot be divided into 2 blocks' },
  ],
] as const)('blocks: %s', (_rule, of, blocks, expected) => expect(divideIntoBlocks(of, blocks)).toEqual(expected));

it('shares cpus, memory and gpus but not the disk, and keeps the architecture', () => {
  const whole = resources({ cpus: 64, memory_mib: 512 * 1024, gpus: gpus(8), cpu_arch: 'arm' });
  expect(shareOfResources(whole, 2, 8)).toEqual({ ...whole, cpus: 16, memory_mib: 128 * 1024, gpus: gpus(2) });
  expect(shareName('type-1', 2, 8)).toBe('type-1 (2/8)');
});

const offerOf = (overrides: Parameters<typeof instance>[0], asked = requirements()) => {
  const result = offerOfInstance(instance(overrides), asked);
  return result.ok
    ? [result.offer.availability, result.offer.blocks, result.offer.total_blocks]
    : (result.unusable ?? 'no match');
};
const twoGpus = requirements({ gpu: { name: ['A100'], count: { min: 2, max: 2 } } });

it.each([
  ['an idle instance', {}, undefined, ['idle', 1, 1]],
  ['a busy one', { status: 'busy', busyBlocks: 1 }, undefined, ['busy', 1, 1]],
  ['one still provisioning', { status: 'provisioning' }, undefined, ['busy', 1, 1]],
  ['the smallest share that fits', { totalBlocks: 8 }, twoGpus, ['idle', 2, 8]],
  ['a container, which has its job', { kind: 'containers' }, undefined, 'a container, which was made for one job'],
  ['a share of a busy one', { status: 'busy', totalBlocks: 8, busyBlocks: 6 }, twoGpus, ['idle', 2, 8]],
  [
    'a share of one that has too little left',
    { status: 'busy', totalBlocks: 8, busyBlocks: 7 },
    twoGpus,
    ['busy', 2, 8],
  ],
  ['a whole one for several nodes', { totalBlocks: 8 }, requirements({}, { multinode: true }), ['idle', 8, 8]],
  [
    'a used one for several nodes',
    { status: 'busy', totalBlocks: 8, busyBlocks: 1 },
    requirements({}, { multinode: true }),
    ['busy', 8, 8],
  ],
  ['one that does not fit', {}, requirements({ cpu: { count: { min: 128 } } }), 'no match'],
  ['one nobody reaches', { unreachable: true }, undefined, 'unreachable'],
  ['one that is ill', { health: 'failure' }, undefined, 'its health check fails'],
  [
    'one that is ill, and with what',
    { health: 'failure', healthIncidents: ['GPU 3: off the bus', 'its disk is full'] },
    undefined,
    'its health check fails: GPU 3: off the bus',
  ],
  ['one with a warning', { health: 'warning' }, undefined, ['idle', 1, 1]],
  ['one that nobody has counted', { totalBlocks: null }, undefined, 'still starting'],
  ['one that is going', { status: 'terminating' }, undefined, 'terminating'],
  [
    'one with volumes to detach',
    { detachingVolumes: true },
    undefined,
    'volumes of its last job are still being detached',
  ],
] as const)('%s', (_case, overrides, asked, expected) => expect(offerOf(overrides, asked)).toEqual(expected));

it('gives an ARM job a share of an ARM instance', () => {
  const arm = { name: 'g', resources: resources({ cpus: 64, memory_mib: 512 * 1024, cpu_arch: 'arm' }) };
  const asked = requirements({ cpu: { arch: 'arm', count: { min: 8 } } });
  expect(offerOf({ instanceType: arm, totalBlocks: 8 }, asked)).toEqual(['idle', 1, 8]);
});

it('keeps jobs that need a container off hosts without an engine, and says what needs it', () => {
  const needs = filtersOfProfile({}, { containerOnly: 'image ubuntu' });
  const judge = (hasContainers: boolean, filters = needs) => {
    const result = offerOfInstance(instance({ hasContainers }), requirements(), filters);
    return result.ok || result.unusable;
  };
  expect(judge(false)).toBe('no container engine, and image ubuntu needs one');
  expect([judge(true), judge(false, filtersOfProfile({}))]).toEqual([true, true]);
});

it('leaves offers out whose machines cannot be shared so', () => {
  const sized = (cpus: number) => ({ instance: { name: `c${cpus}`, resources: resources({ cpus }) } });
  const [four, six] = [sized(4), sized(6)];
  expect(divisibleOffers([four, six], 4)).toEqual({
    divisible: [{ offer: four, blocks: 4 }],
    because: 'c6: 6 cpus cannot be divided into 4 blocks',
  });
  expect(divisibleOffers([four, six], 'auto').divisible.map(({ blocks }) => blocks)).toEqual([4, 6]);
});
