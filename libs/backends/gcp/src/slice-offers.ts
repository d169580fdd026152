import type { Offer } from '@dstack/core';
import type { GcpOffersRequest } from './offers.js';
import { regionOf } from './region-of.js';
import { sliceOf } from './tpu-slices.js';
import { TPU_DISK_GB } from './tpu-types.js';

/** One offer for each slice of several hosts and each zone: what one host has and costs, for a task with as many nodes. */
export function sliceOffers({ catalog, regions }: Pick<GcpOffersRequest, 'catalog' | 'regions'>): Offer[] {
  const rows = catalog.rows({
    type: ({ name, flags }) => flags.length === 0 && sliceOf(name) !== null,
    location: (zone) => regions.has(regionOf(zone)),
  });
  return [...rows].flatMap(({ type, location, price, isSpot, source }) => {
    const slice = sliceOf(type.name);
    if (slice === null) return [];
    const { hosts, host } = slice;
    const offer: Offer = {
      backend: 'gcp',
      instance: {
        name: type.name,
        resources: {
          cpus: host.cpus,
          memory_mib: host.memoryGb * 1024,
          gpus: [{ name: type.name, vendor: 'google', memory_mib: host.hbmGb * 1024 }],
          spot: isSpot,
          disk: { size_mib: TPU_DISK_GB * 1024 },
          cpu_arch: 'x86',
          description: '',
        },
      },
      region: regionOf(location),
      price: price / hosts,
      availability: 'unknown',
      availability_zones: [location],
      instance_runtime: 'shim',
      blocks: 1,
      total_blocks: 1,
      group_nodes: { min: hosts, max: hosts },
      priced: { date: source.date, isDerived: !source.isExact },
    };
    return [offer];
  });
}
