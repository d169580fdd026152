import { acceleratorEnvironment, acceleratorJobEnvironment, devicesToLock } from './accelerator-access.js';

const NVIDIA = { vendor: 'nvidia' as const, name: 'L4', memory_mib: 24_576 };
const TPU = { vendor: 'google' as const, name: 'v5litepod-8', memory_mib: 131_072 };

it.each([
  ['no accelerator', [], 0, {}, {}],
  ['GPUs', [NVIDIA, NVIDIA], 2, {}, {}],
  ['a TPU', [TPU], 0, { DSTACK_AGENT_PJRT_DEVICE: 'TPU' }, { PJRT_DEVICE: 'TPU' }],
])('a machine with %s', (_what, gpus, devices, ofAgent, ofJob) => {
  expect(devicesToLock(gpus)).toBe(devices);
  expect(acceleratorEnvironment(gpus)).toEqual(ofAgent);
  expect(acceleratorJobEnvironment(gpus)).toEqual(ofJob);
});
