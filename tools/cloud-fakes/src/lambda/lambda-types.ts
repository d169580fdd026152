/** Real types, with the figures of Lambda's price list of 2026, and two that nobody can ask for by the name of a GPU. */
export const LAMBDA_TYPES = [
  type('gpu_1x_a10', 'A10 (24 GB PCIe)', 75, [30, 200, 1400, 1]),
  type('gpu_1x_h100_pcie', 'H100 (80 GB PCIe)', 329, [26, 200, 1000, 1]),
  type('gpu_8x_h100_sxm5', 'H100 (80 GB SXM5)', 2392, [208, 1800, 22528, 8]),
  type('gpu_1x_gh200', 'GH200 (96 GB)', 149, [64, 432, 4096, 1]),
  type('gpu_1x_a6000', 'RTX A6000 (48 GB)', 80, [14, 100, 200, 1]),
  type('gpu_8x_v100', 'Tesla V100 (16 GB)', 440, [88, 448, 5939, 8]),
  type('cpu_4x_general', 'N/A', 10, [4, 16, 512, 0]),
  type('gpu_1x_unheard_of', 'Z900 (1 GB)', 1, [1, 1, 1, 1]),
] as const;

export const REGIONS = [
  { name: 'us-west-1', description: 'California, USA' },
  { name: 'us-east-1', description: 'Virginia, USA' },
] as const;

type Specs = readonly [vcpus: number, memoryGib: number, storageGib: number, gpus: number];

function type(name: string, gpu: string, cents: number, [vcpus, memory, storage, gpus]: Specs) {
  return {
    name,
    description: gpus === 0 ? `${vcpus}x vCPU` : `${gpus}x ${gpu}`,
    gpu_description: gpu,
    price_cents_per_hour: cents,
    specs: { vcpus, memory_gib: memory, storage_gib: storage, gpus },
  };
}
