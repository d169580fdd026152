import type { InternalBackendType, MachineKind, Offer } from '@dstack/core';

export const REGIONS = ['north', 'south', 'east'];
const A100 = { vendor: 'nvidia', name: 'A100', memory_mib: 40_960 } as const;
const TYPES = [
  { name: 'small', cpus: 2, memoryMib: 8_192, price: 0.1, gpus: 0 },
  { name: 'large', cpus: 8, memoryMib: 32_768, price: 0.5, gpus: 0 },
  { name: 'gpu', cpus: 12, memoryMib: 65_536, price: 1.5, gpus: 1 },
  { name: 'gpus', cpus: 48, memoryMib: 262_144, price: 6, gpus: 4 },
];
/** Two or three machines, which are made by one call; cheap, so that there are some. */
const TOGETHER = { name: 'slice', cpus: 8, memoryMib: 32_768, price: 0.08, gpus: 0, nodes: { min: 2, max: 3 } };
const SPOT_SHARE = 0.3;
/** So that jobs go there when there are some. */
const CONTAINER_SHARE = 0.9;

/** Each type in each of the regions, on demand and spot, in two zones. */
export function cloudOffers(
  backend: InternalBackendType,
  kind: MachineKind,
  regions: readonly string[],
  makesGroups: boolean,
): Offer[] {
  const types = [...TYPES.map((type) => ({ ...type, nodes: null })), ...(makesGroups ? [TOGETHER] : [])];
  return regions.flatMap((region) =>
    types.flatMap(({ name, cpus, memoryMib, price, gpus, nodes }) =>
      [false, true].map((spot): Offer => ({
        backend,
        instance: {
          name,
          resources: {
            cpus,
            memory_mib: memoryMib,
            gpus: Array.from({ length: gpus }, () => A100),
            spot,
            disk: { size_mib: 102_400 },
            cpu_arch: 'x86',
            description: '',
          },
        },
        region,
        price:
          price *
          (1 + REGIONS.indexOf(region) / 10) *
          (spot ? SPOT_SHARE : 1) *
          (kind === 'containers' ? CONTAINER_SHARE : 1),
        availability: 'available',
        availability_zones: [`${region}-a`, `${region}-b`],
        instance_runtime: kind === 'containers' ? 'runner' : 'shim',
        blocks: 1,
        total_blocks: 1,
        ...(nodes === null ? {} : { group_nodes: nodes }),
      })),
    ),
  );
}
