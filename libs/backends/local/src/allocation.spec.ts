import { claimAllocation, shapeAllocation, type Allocation } from './allocation.js';
import { parseNvidiaSmi, readLocalMachine, type LocalMachine } from './local-machine.js';
import { localOffer } from './local-offer.js';

const machine: LocalMachine = {
  hostname: 'm',
  cpus: 4,
  cpuArch: 'x86',
  memoryMib: 7900,
  gpus: [
    { name: 'T4', memory_mib: 16_384, vendor: 'nvidia' },
    { name: 'A100', memory_mib: 81_920, vendor: 'nvidia' },
  ],
  dockerSocket: null,
};
const held: Allocation[] = [{ cpus: 3, memoryMib: 4096, gpus: [1] }];
const asks = (cpus: number, memoryGb: number, gpu?: object) => ({
  cpu: { count: { min: cpus } },
  memory: { min: memoryGb },
  gpu: gpu ?? null,
});

it.each([
  ['fits an empty machine', [], asks(2, 4), null],
  ['has no memory enough ever', [], asks(2, 8), 'this machine has 7.7GB memory, 8GB needed'],
  ['has no cpus enough ever', [], asks(8, 1), 'this machine has 4 cpus, 8 needed'],
  ['has no cpus left', held, asks(2, 1), '2 cpus needed, 1 of 4 free'],
  ['has no memory left', held, asks(1, 6), '6GB memory needed, 3.7GB of 7.7GB free'],
  [
    'has no such gpu',
    [],
    asks(1, 1, { name: ['H100'], count: { min: 1 } }),
    'this machine has 0 suitable gpus, 1 needed',
  ],
  ['has the gpu held', held, asks(1, 1, { name: ['A100'], count: { min: 1 } }), '1 gpus needed, 0 of 1 free'],
  ['takes the suitable gpu', [], asks(1, 1, { memory: { min: 40 }, count: { min: 1 } }), null],
])('%s', (_case, instances, resources, lacks) => {
  expect(shapeAllocation(machine, instances, resources).lacks).toBe(lacks);
});

it('picks devices by what is asked of them', () => {
  expect(shapeAllocation(machine, [], asks(1, 1, { memory: { min: 40 }, count: { min: 1 } })).gpus).toEqual([1]);
});

describe('claiming what was planned', () => {
  const [t4] = machine.gpus;
  const twins: LocalMachine = { ...machine, gpus: t4 === undefined ? [] : [t4, t4, ...machine.gpus.slice(1)] };
  const wanted: Allocation = { cpus: 1, memoryMib: 1024, gpus: [0] };
  const holding = (gpus: number[]): Allocation[] => [{ cpus: 1, memoryMib: 1024, gpus }];
  it.each([
    ['gives the device that was planned', [], { ok: true, allocation: wanted }],
    ['gives an equal one when that is held', holding([0]), { ok: true, allocation: { ...wanted, gpus: [1] } }],
    ['gives no other', holding([0, 1]), { ok: false, lacks: '1 T4 gpus needed, 0 free' }],
    [
      'gives nothing when cpus are held',
      [{ cpus: 4, memoryMib: 0, gpus: [] }],
      { ok: false, lacks: '1 cpus needed, 0 of 4 free' },
    ],
  ])('%s', (_rule, instances, expected) => expect(claimAllocation(twins, instances, wanted)).toEqual(expected));
});

it('takes no device nobody asked for', () => {
  expect(shapeAllocation(machine, [], asks(1, 1, { count: { min: 0 } })).gpus).toEqual([]);
});

it('leaves the architecture open where an ARM machine is asked for x86', () => {
  const allocation = shapeAllocation(machine, [], asks(1, 1));
  const offer = (wantedArch: 'x86' | null) =>
    localOffer({ ...machine, cpuArch: 'arm' }, allocation, { wantedArch, lacks: null });
  expect(offer('x86').instance.resources.cpu_arch).toBeNull();
  expect(offer(null).instance.resources.cpu_arch).toBe('arm');
});

it('reads what the driver lists', () => {
  expect(parseNvidiaSmi('NVIDIA H100 80GB HBM3, 81559\nTesla T4, 15360\n\n')).toEqual([
    { name: 'H100', memory_mib: 80 * 1024, vendor: 'nvidia' },
    { name: 'T4', memory_mib: 16 * 1024, vendor: 'nvidia' },
  ]);
});

it('knows the machine it runs on', async () => {
  const here = await readLocalMachine();
  expect(here.cpus).toBeGreaterThan(0);
  expect(here.memoryMib).toBeGreaterThan(0);
});
