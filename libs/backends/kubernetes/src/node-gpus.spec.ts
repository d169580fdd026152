import { gpusOfNode } from './node-gpus.js';
import { nodeReply } from './schema.js';

const node = (labels: Record<string, string>, allocatable: Record<string, string>) =>
  nodeReply.parse({ metadata: { name: 'n', labels }, status: { allocatable } });
const nvidia = (product: string, memory?: string) =>
  gpusOfNode(
    node(
      { 'nvidia.com/gpu.product': product, ...(memory === undefined ? {} : { 'nvidia.com/gpu.memory': memory }) },
      { 'nvidia.com/gpu': '4' },
    ),
  );

it.each([
  ['Tesla-T4', undefined, 'T4', 16],
  ['A100-SXM4-40GB', undefined, 'A100', 40],
  ['NVIDIA-A100-SXM4-80GB', '81920', 'A100', 80],
  ['NVIDIA-A100-SXM4-80GB-SHARED', '81920', 'A100', 80],
  ['NVIDIA-H100-80GB-HBM3', '81559', 'H100', 80],
  ['NVIDIA-H100-NVL', '95830', 'H100NVL', 94],
  ['NVIDIA-RTX-A6000', undefined, 'A6000', 48],
  ['NVIDIA-RTX-6000-Ada-Generation', undefined, 'RTX6000Ada', 48],
  ['NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition', '97871', 'RTXPRO6000', 96],
  ['NVIDIA-GeForce-RTX-3080-Ti', undefined, 'RTX3080Ti', 12],
  ['Tesla-V100-SXM2-16GB', undefined, 'V100', 16],
  ['Tesla-V100-SXM2-32GB', '32768', 'V100', 32],
  // The label tells the memory of the host.
  ['NVIDIA-GH200-480GB', undefined, 'GH200', 96],
  ['NVIDIA-H200', '143771', 'H200', 141],
])('%s with %s MiB is %s of %d GB', (product, memory, name, gb) => {
  expect(nvidia(product, memory)).toEqual({ vendor: 'nvidia', name, memoryMib: gb * 1024, count: 4 });
});

it.each([
  [{ 'beta.amd.com/gpu.device-id.74a1': '8' }, 'MI300X', 192],
  [{ 'beta.amd.com/gpu.device-id.74A1': '4', 'beta.amd.com/gpu.device-id.74b5': '4' }, 'MI300X', 192],
  [{ 'beta.amd.com/gpu.device-id.740f': '8' }, 'MI210', 64],
])('AMD devices %j are %s of %d GB', (labels, name, gb) => {
  expect(gpusOfNode(node(labels, { 'amd.com/gpu': '8' }))).toEqual({ vendor: 'amd', name, memoryMib: gb * 1024, count: 8 }); // prettier-ignore
});

it.each([
  ['no label', node({}, { 'nvidia.com/gpu': '1' }), /GPU Feature Discovery/],
  [
    'an unknown product',
    node({ 'nvidia.com/gpu.product': 'NVIDIA-Z9000' }, { 'nvidia.com/gpu': '1' }),
    /Z9000 is not known/,
  ],
  ['no label of AMD', node({}, { 'amd.com/gpu': '1' }), /node labeller/],
  ['an unknown device', node({ 'beta.amd.com/gpu.device-id.ffff': '1' }, { 'amd.com/gpu': '1' }), /ffff is not known/],
  [
    'two models of AMD',
    node({ 'beta.amd.com/gpu.device-id.74a1': '4', 'beta.amd.com/gpu.device-id.740f': '4' }, { 'amd.com/gpu': '8' }),
    /several models/,
  ],
])('%s is told', (_what, given, message) => {
  expect(gpusOfNode(given)).toMatch(message);
});

it('has none where none can be given', () => {
  expect(gpusOfNode(node({ 'nvidia.com/gpu.product': 'Tesla-T4' }, { 'nvidia.com/gpu': '0' }))).toBeNull();
  expect(gpusOfNode(node({}, { cpu: '4' }))).toBeNull();
});
