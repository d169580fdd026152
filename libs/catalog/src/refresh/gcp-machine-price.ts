import type { CatalogType } from '../catalog-row.js';
import type { GcpRates, RateName } from './gcp-rates.js';

const HOURS_A_MONTH = 730;

/** GiB of local disks that a machine always has. */
const LOCAL_SSD_GIB: readonly (readonly [RegExp, (gpus: number) => number])[] = [
  [/^a2-ultragpu-/, (gpus) => gpus * 375],
  [/^a3-(high|mega)gpu-/, (gpus) => gpus * 750],
  [/^a3-ultragpu-/, () => 12_000],
];

/** What the list calls the GPUs of a machine; of N1, which takes several kinds, by the GPU. */
const GPU_RATES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^a2-ultragpu-/, ['A100 80GB']],
  [/^a2-/, ['A100']],
  [/^a3-highgpu-/, ['H100 80GB']],
  [/^a3-megagpu-/, ['H100 80GB Mega', 'H100 Mega 80GB']],
  [/^a3-ultragpu-/, ['H200 141GB']],
  [/^g2-/, ['L4']],
  [/^g4-/, ['RTX 6000 96GB']],
];

const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^a3-megagpu-/, 'a3plus'],
  [/^a3-ultragpu-/, 'a3ultra'],
];

/** Types that are sold as spot, by reservation or in blocks of time alone. */
const NOT_ON_DEMAND = /^(a4|a4x|a3-ultragpu|a3-highgpu-[124]g)(-|$)/;

/** Shared cores are a part of those that the guest sees. */
const SHARED_CORES: Readonly<Record<string, number>> = { 'e2-micro': 0.25, 'e2-small': 0.5, 'e2-medium': 1 };

/** USD per hour of the whole machine, put together; null: not sold there so, or not all of it is priced. */
export function gcpMachinePrice(type: CatalogType, region: string, isSpot: boolean, rates: GcpRates): number | null {
  if (!isSpot && NOT_ON_DEMAND.test(type.name)) return null;
  const price =
    type.gpu?.vendor === 'google' ? tpuPrice(type, region, isSpot, rates) : sum(type, region, isSpot, rates);
  return price === null ? null : Math.round(price * 1e6) / 1e6;
}

/** Whether the price of such a machine is the sum of prices of what it is made of, some of which it may not have to itself. */
export function isPutTogether({ name, gpu }: CatalogType): boolean {
  return name.startsWith('n1-') && gpu !== null;
}

function sum(type: CatalogType, region: string, isSpot: boolean, rates: GcpRates): number | null {
  const { name, cpus, memoryMib, gpu } = type;
  const rate = (kind: RateName['kind'], of: string): number | null =>
    rates.of({ kind, name: of, isSpot }, region) ?? null;
  if (name.startsWith('a4-')) {
    const slice = rate('slice', gpu?.name ?? '');
    return slice === null ? null : slice * (gpu?.count ?? 0);
  }
  if (cpus === null || memoryMib === null) return null;
  const family = FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? name.split('-')[0] ?? '';
  const parts = [
    times(SHARED_CORES[name] ?? cpus, rate('core', family)),
    times(memoryMib / 1024, rate('ram', family)),
    ...(gpu === null ? [] : [times(gpu.count, gpuRate(type, rate))]),
    times(localSsdGib(type), rate('ssd', 'local'), 1 / HOURS_A_MONTH),
  ];
  return parts.includes(null) ? null : parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}

function gpuRate({ name, gpu }: CatalogType, rate: (kind: 'gpu', of: string) => number | null): number | null {
  const names = GPU_RATES.find(([pattern]) => pattern.test(name))?.[1] ?? [gpu?.name ?? ''];
  return names.map((each) => rate('gpu', each)).find((price) => price !== null) ?? null;
}

function localSsdGib({ name, gpu }: CatalogType): number {
  return LOCAL_SSD_GIB.find(([pattern]) => pattern.test(name))?.[1](gpu?.count ?? 0) ?? 0;
}

function times(quantity: number, rate: number | null, factor = 1): number | null {
  if (quantity === 0) return 0;
  return rate === null ? null : quantity * rate * factor;
}

/** By the chip: the number in the name of a v5e or v6e slice; of v5p it counts cores, two a chip. */
function tpuPrice({ name }: CatalogType, region: string, isSpot: boolean, rates: GcpRates): number | null {
  const [, version, count] = /^(v5litepod|v5p|v6e)-(\d+)$/.exec(name) ?? [];
  if (version === undefined) return null;
  const chip = rates.of({ kind: 'tpu', name: version === 'v5litepod' ? 'v5e' : version, isSpot }, region);
  return chip === undefined ? null : (chip * Number(count)) / (version === 'v5p' ? 2 : 1);
}
