import { knownAccelerator, normaliseGpuName } from '@dstack/core';
import { z } from 'zod';
import type { CatalogRow, CatalogType, PriceSource as Origin } from '../catalog-row.js';
import type { Reading } from './reading.js';
import { dayOf } from './reading-date.js';
import type { PriceSource } from './source-client.js';
import { CatalogSourceError } from './source-error.js';

const API = 'https://api.runpod.io';

const QUERY = `query {
  gpuTypes { id displayName memoryInGb secureCloud securePrice clusterPrice maxGpuCount nodeGroupDatacenters { id }
    lowestPrice(input: { gpuCount: 1, secureCloud: true }) { minVcpu minMemory } }
  dataCenters { id listed }
}`;

const reply = z.object({
  errors: z.array(z.object({ message: z.string() })).optional(),
  data: z
    .object({
      gpuTypes: z.array(
        z.object({
          id: z.string(),
          displayName: z.string().nullish(),
          memoryInGb: z.number(),
          secureCloud: z.boolean().nullish(),
          securePrice: z.number().nullish(),
          clusterPrice: z.number().nullish(),
          maxGpuCount: z.number().nullish(),
          nodeGroupDatacenters: z.array(z.object({ id: z.string() })).nullish(),
          lowestPrice: z.object({ minVcpu: z.number().nullish(), minMemory: z.number().nullish() }).nullish(),
        }),
      ),
      dataCenters: z.array(z.object({ id: z.string(), listed: z.boolean().nullish() })),
    })
    .nullish(),
});
type Gpu = NonNullable<z.infer<typeof reply>['data']>['gpuTypes'][number];

export interface RunpodReader {
  readonly source: PriceSource;
  readonly now: () => number;
  readonly current: readonly CatalogRow[];
  readonly apiUrl?: string;
}

const COUNTS = [1, 2, 4, 8];
const CLUSTER_GPUS = 8;

/** RunPod's prices of GPUs in its own data centers; anybody may ask. Where there is stock is asked when a run is planned. */
export async function readRunpod({ source, now, current, apiUrl = API }: RunpodReader): Promise<Reading> {
  const url = `${apiUrl}/graphql`;
  const { data, errors } = await source.json({ url, method: 'POST', body: { query: QUERY } }, reply);
  if (!data) throw new CatalogSourceError(url, errors?.[0]?.message ?? 'the reply has no data', 'data');
  const places = data.dataCenters.filter(({ listed }) => listed !== false).map(({ id }) => id);
  const origin: Origin = {
    source: 'RunPod secure cloud',
    date: dayOf(now()),
    isExact: true,
    note: 'price of a GPU times their count',
  };
  const unknown: string[] = [];
  const rows = data.gpuTypes.flatMap((gpu): CatalogRow[] => {
    if (gpu.secureCloud !== true || !gpu.securePrice) return [];
    const one = typeOf(gpu, current);
    if (one === null) unknown.push(gpu.id);
    if (one === null) return [];
    const price = gpu.securePrice;
    const sold = COUNTS.filter((count) => count <= (gpu.maxGpuCount ?? 1)).map((count) => ({
      type: times(one, count, []),
      price: rounded(price * count),
    }));
    const cluster = gpu.clusterPrice
      ? [{ type: times(one, CLUSTER_GPUS, ['runpod-cluster']), price: rounded(gpu.clusterPrice * CLUSTER_GPUS) }]
      : [];
    const clustersIn = new Set(gpu.nodeGroupDatacenters?.map(({ id }) => id));
    return places.flatMap((location) => {
      const here = clustersIn.has(location) ? [...sold, ...cluster] : sold;
      return here.map((each) => ({ ...each, location, isSpot: false, source: origin }));
    });
  });
  const read = new Set(data.gpuTypes.map(({ id }) => id));
  return {
    rows,
    covers: ({ type }) => read.has(type.name) && !unknown.includes(type.name),
    failed: [],
    remarks:
      unknown.length === 0
        ? []
        : [`too little is known of ${unknown.length} kinds of GPUs: ${unknown.sort().join(', ')}`],
  };
}

/** One GPU, and the processors and memory that come with it at least. */
function typeOf(gpu: Gpu, current: readonly CatalogRow[]): CatalogType | null {
  const known = current.find(({ type }) => type.name === gpu.id)?.type;
  if (known?.gpu) {
    const { count } = known.gpu;
    const { cpus, memoryMib } = known;
    if (cpus !== null && memoryMib !== null) {
      return { ...known, cpus: cpus / count, memoryMib: memoryMib / count, gpu: { ...known.gpu, count: 1 }, flags: [] };
    }
  }
  const named = knownAccelerator(normaliseGpuName(gpu.id)) ?? knownAccelerator(normaliseGpuName(gpu.displayName ?? ''));
  const { minVcpu, minMemory } = gpu.lowestPrice ?? {};
  if (named === undefined || !minVcpu || !minMemory) return null;
  return {
    name: gpu.id,
    cpus: minVcpu,
    memoryMib: minMemory * 1024,
    gpu: { vendor: named.vendor, name: named.name, count: 1, memoryMib: gpu.memoryInGb * 1024 },
    cpuArch: 'x86',
    diskGb: null,
    flags: [],
  };
}

function times({ cpus, memoryMib, gpu, ...one }: CatalogType, count: number, flags: readonly string[]): CatalogType {
  return {
    ...one,
    cpus: (cpus ?? 0) * count,
    memoryMib: (memoryMib ?? 0) * count,
    gpu: gpu === null ? null : { ...gpu, count },
    flags,
  };
}

function rounded(price: number): number {
  return Math.round(price * 1e5) / 1e5;
}
