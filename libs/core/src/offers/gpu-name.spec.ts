import { normaliseGpuName, snapGpuMemoryGb } from './gpu-name.js';
import { isSingleHostTpu, knownAccelerator } from './known-accelerators.js';

it.each([
  ['NVIDIA A100-SXM4-80GB', 'A100'],
  ['NVIDIA H100 80GB HBM3', 'H100'],
  ['NVIDIA H100 NVL', 'H100NVL'],
  ['NVIDIA-H100-NVL', 'H100NVL'],
  ['NVIDIA RTX 6000 Ada Generation', 'RTX6000Ada'],
  ['NVIDIA-RTX-6000-Ada-Generation', 'RTX6000Ada'],
  ['NVIDIA GeForce RTX 4070 Ti SUPER', 'RTX4070TiSUPER'],
  ['NVIDIA-GeForce-RTX-3080-Ti', 'RTX3080Ti'],
  ['Tesla V100-SXM2-16GB', 'V100'],
  ['Tesla-T4', 'T4'],
  ['NVIDIA B200', 'B200'],
  ['NVIDIA GB200', 'GB200'],
  ['NVIDIA B300 SXM6 AC', 'B300'],
  ['NVIDIA GH200 480GB', 'GH200'],
  ['NVIDIA RTX PRO 6000 Blackwell Server Edition', 'RTXPRO6000'],
  ['NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition', 'RTXPRO6000'],
  ['Quadro RTX 8000', 'QRTX8000'],
  ['Quadro RTX 6000', 'RTX6000'],
  ['NVIDIA RTX 4000 SFF Ada Generation', 'RTX4000Ada'],
  ['NVIDIA RTX A6000', 'A6000'],
  ['NVIDIA-RTX-A6000', 'A6000'],
  ['NVIDIA A40', 'A40'],
  ['A40 (compute mode)', 'A40'],
  ['NVIDIA L40S', 'L40S'],
  ['nvidia_h100', 'H100'],
  ['AMD Instinct MI300X OAM', 'MI300X'],
  ['MI300X-O', 'MI300X'],
  ['AMD Instinct MI210', 'MI210'],
  ['GeForce RTX 2080', 'RTX2080'],
  ['NVIDIA GeForce RTX 4080 SUPER', 'RTX4080SUPER'],
  ['NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition', 'RTXPRO6000'],
  ['Tesla V100-SXM3-32GB', 'V100'],
  ['HL-205', 'Gaudi'],
  ['HL-225', 'Gaudi2'],
  ['HL-325L', 'Gaudi3'],
  ['Wormhole n150', 'n150'],
  ['tt-galaxy-wh', 'tt-galaxy-wh'],
  ['v5litepod-8', 'v5litepod-8'],
  ['Some New Thing', 'SomeNewThing'],
])('%s is %s', (product, name) => expect(normaliseGpuName(product)).toBe(name));

it.each([
  ['A100', 81559, 80],
  ['RTXPRO6000', 97871, 96],
  ['H200', 143771, 141],
  ['B200', 183359, 180],
  ['B300', 275040, 270],
  ['H100NVL', 95830, 94],
  ['MI325X', 262128, 256],
  ['MI300X', 196592, 192],
  ['MI210', 65520, 64],
  ['T4', 15360, 16],
  ['L40S', 46068, 48],
  ['RTX4080SUPER', 16376, 16],
  ['RTX2080', 7979, 8],
  ['Unknown', 10000, 10],
])('%s reporting %i MiB has %i GB', (name, mib, gb) => expect(snapGpuMemoryGb(name, mib)).toBe(gb));

it.each([
  ['v4-8', false],
  ['v5litepod-8', true],
  ['v5litepod-16', false],
  ['v6e-1', true],
  ['A100', false],
])('%s is a single-host TPU slice: %s', (name, single) => expect(isSingleHostTpu(name)).toBe(single));

it('finds accelerators whatever the case', () => {
  expect(knownAccelerator('a100')).toMatchObject({ name: 'A100', vendor: 'nvidia', computeCapability: [8, 0] });
  expect(knownAccelerator('nope')).toBeUndefined();
});
