import { type MachineImageKind, machineImageName, PUBLISHED_MACHINE_IMAGES } from './machine-images.js';

const OTHERS = { prefix: 'stage-', version: '0.15' };

it.each<[MachineImageKind, string, string]>([
  ['plain', 'dstack-0.14', 'stage-dstack-0.15'],
  ['cuda', 'dstack-cuda-0.14', 'stage-dstack-cuda-0.15'],
  ['grid', 'dstack-grid-0.14', 'stage-dstack-grid-0.15'],
  ['old-cuda', 'dstack-cuda-0.10', 'stage-dstack-cuda-0.10'],
])('%s is %s, and %s of others', (kind, published, ofOthers) => {
  expect(machineImageName(kind, PUBLISHED_MACHINE_IMAGES)).toBe(published);
  expect(machineImageName(kind, OTHERS)).toBe(ofOthers);
});
