import { type Offer, snapGpuMemoryGb } from '@dstack/core';
import { MIN_DISK_GB } from './ask-filters.js';
import { ourName } from './gpu-names.js';
import type { VastaiAsk } from './schema.js';

const HOURS_A_MONTH = 30 * 24;

/** Each ask as it can be had for sure, and, where bids are taken, for as long as nobody bids more. */
export function offersOf(asks: readonly VastaiAsk[], wantedDiskGb: number): Offer[] {
  return asks.flatMap((ask) => {
    const onDemand = toOffer(ask, { basePrice: ask.dph_base, isSpot: false }, wantedDiskGb);
    if (onDemand === null) return [];
    const bid = ask.min_bid ?? 0;
    const spot = bid > 0 ? toOffer(ask, { basePrice: bid, isSpot: true }, wantedDiskGb) : null;
    return spot === null ? [onDemand] : [onDemand, spot];
  });
}

interface Terms {
  readonly basePrice: number;
  readonly isSpot: boolean;
}

function toOffer(ask: VastaiAsk, { basePrice, isSpot }: Terms, wantedDiskGb: number): Offer | null {
  const { cpu_cores: cores, cpu_cores_effective: share, cpu_ram: ramMb, disk_space: space } = ask;
  const name = ourName(ask.gpu_name);
  // Of a host that does not say what it has there is no share.
  if (name === null || !cores || !share || !ramMb) return null;
  const memoryGb = Math.floor((ramMb * share) / cores / 1000);
  const gpu = { name, vendor: 'nvidia' as const, memory_mib: snapGpuMemoryGb(name, ask.gpu_ram) * 1024 };
  const most = Math.floor(space);
  const diskPrice = (Math.min(wantedDiskGb, most) * ask.storage_cost) / HOURS_A_MONTH;
  return {
    backend: 'vastai',
    instance: {
      name: String(ask.id),
      resources: {
        cpus: Math.floor(share),
        memory_mib: memoryGb * 1024,
        gpus: Array.from({ length: ask.num_gpus }, () => gpu),
        spot: isSpot,
        cpu_arch: ask.cpu_arch === 'arm64' ? 'arm' : 'x86',
        description: '',
      },
    },
    region: regionOf(ask.geolocation ?? ''),
    price: Math.round((basePrice + diskPrice) * 1e5) / 1e5,
    availability: 'available',
    availability_zones: null,
    instance_runtime: 'runner',
    blocks: 1,
    total_blocks: 1,
    disk_range_gb: { min: MIN_DISK_GB, max: most },
    // What the machine costs without its disk: the bid.
    ...(isSpot ? { backend_data: { min_bid: basePrice } } : {}),
  };
}

/** `California, US` → `us-california` */
export function regionOf(geolocation: string): string {
  const parts = geolocation.split(',').map((part) => part.trim().toLowerCase().replace(/\s+/g, ''));
  const country = parts.pop() ?? '';
  const place = parts.pop();
  return place === undefined ? country : `${country}-${place}`;
}
