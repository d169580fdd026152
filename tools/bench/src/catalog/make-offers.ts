import { acceleratorNames, type Offer, snapGpuMemoryGb } from '@dstack/core';

const BACKENDS = ['aws', 'azure', 'gcp', 'oci', 'lambda', 'nebius', 'runpod', 'vastai'] as const;
const REGIONS = 12;
const SIZES = [1, 2, 4, 8];
const GPUS = acceleratorNames();

/**
 * As many offers as asked for, of the shapes that catalogues have: each backend has types with and without GPUs, all in each of its regions, on
 * demand and spot, at prices that differ by region. Always the same ones.
 */
export function makeOffers(count: number): Offer[] {
  return Array.from({ length: count }, (_, index) => {
    const spot = index % 2 === 1;
    const region = (index >> 1) % REGIONS;
    const backend = Math.floor(index / (2 * REGIONS)) % BACKENDS.length;
    const type = Math.floor(index / (2 * REGIONS * BACKENDS.length));
    return makeOffer(BACKENDS[backend] ?? 'aws', region, type, spot);
  });
}

function makeOffer(backend: (typeof BACKENDS)[number], region: number, type: number, spot: boolean): Offer {
  const size = SIZES[type % SIZES.length] ?? 1;
  // A third has no GPU.
  const gpu = type % 3 === 0 ? undefined : GPUS[Math.floor(type / SIZES.length) % GPUS.length];
  const gpuMemoryGb = gpu === undefined ? 0 : snapGpuMemoryGb(gpu, 80 * 1024);
  const cpus = 2 * size * (1 + (type % 7));
  const onDemand = (0.02 * cpus + (gpu === undefined ? 0 : 0.03 * gpuMemoryGb * size)) * (1 + region / 50);
  return {
    backend,
    instance: {
      name: `${backend}-type-${type}`,
      resources: {
        cpus,
        memory_mib: cpus * 4 * 1024,
        gpus:
          gpu === undefined ? [] : Array.from({ length: size }, () => ({ name: gpu, memory_mib: gpuMemoryGb * 1024 })),
        spot,
        disk: { size_mib: 0 },
      },
    },
    disk_range_gb: { min: 10, max: 16_384 },
    region: `${backend}-region-${region}`,
    price: Math.round(onDemand * (spot ? 0.4 : 1) * 10_000) / 10_000,
    availability: 'unknown',
    availability_zones: ['a', 'b', 'c'].map((zone) => `${backend}-region-${region}${zone}`),
  };
}
