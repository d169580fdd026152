import type * as Wire from '../src/wire/generated/api.js';
import type { PoolInstance } from '../src/offers/instance-offer.js';
import type { Offer } from '../src/offers/offer.js';

/** Builders for the tests of planning: a sensible whole, and what a case is about on top. */
export function gpus(
  count: number,
  name = 'A100',
  memoryGb = 80,
  vendor: Wire.AcceleratorVendor | null = 'nvidia',
): Wire.Gpu[] {
  return Array.from({ length: count }, () => ({ name, memory_mib: memoryGb * 1024, vendor }));
}

export function resources(overrides: Partial<Wire.Resources> = {}): Wire.Resources {
  return { cpus: 8, memory_mib: 32 * 1024, gpus: [], spot: false, disk: { size_mib: 102_400 }, ...overrides };
}

export function offer(
  overrides: Partial<Omit<Offer, 'instance'>> & { name?: string; resources?: Partial<Wire.Resources> } = {},
): Offer {
  const { name = 'type-1', resources: own = {}, ...rest } = overrides;
  return {
    backend: 'aws',
    instance: { name, resources: resources(own) },
    region: 'us-east-1',
    price: 1,
    availability: 'unknown',
    availability_zones: null,
    ...rest,
  };
}

export function requirements(
  spec: Partial<Wire.ResourcesSpec> = {},
  overrides: Partial<Omit<Wire.Requirements, 'resources'>> = {},
): Wire.Requirements {
  return {
    resources: {
      cpu: { count: { min: 2, max: null } },
      memory: { min: 8, max: null },
      gpu: { count: { min: 0, max: null } },
      disk: { size: { min: 100, max: null } },
      ...spec,
    },
    ...overrides,
  };
}

export function instance(overrides: Partial<PoolInstance> = {}): PoolInstance {
  return {
    id: 'instance-1',
    backend: 'aws',
    instanceType: { name: 'type-1', resources: resources({ cpus: 64, memory_mib: 512 * 1024, gpus: gpus(8) }) },
    region: 'us-east-1',
    zone: null,
    priceUsdPerHour: 10,
    status: 'idle',
    unreachable: false,
    health: 'healthy',
    totalBlocks: 1,
    busyBlocks: 0,
    detachingVolumes: false,
    ...overrides,
  };
}
