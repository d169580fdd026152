import { z } from 'zod';
import type { CatalogGpu, CatalogType } from '../catalog-row.js';
import type { PriceSource } from './source-client.js';

const MANAGEMENT = 'https://management.azure.com';

const page = z.object({
  value: z.array(
    z.object({
      resourceType: z.string(),
      name: z.string(),
      capabilities: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
    }),
  ),
  nextLink: z.string().nullish(),
});
type Sku = z.infer<typeof page>['value'][number];

export interface AzureSizes {
  readonly types: readonly CatalogType[];
  readonly remarks: readonly string[];
}

/** The series that are offered; older ones are priced too, and nobody should start there. */
const SERIES: readonly RegExp[] = [
  /^D\d+s_v[3-6]$/,
  /^D\d+as_v[4-6]$/,
  /^D\d+[dp]s_v[56]$/,
  /^E\d+(-\d+)?i?s_v[3-6]$/,
  /^E\d+(-\d+)?as_v5$/,
  /^F\d+s_v2$/,
  /^F\d+as_v6$/,
  /^B\d+[a-z]*(_v2)?$/,
  /^N[CDV]\d/,
];

/** What the sizes have, as the subscription's Resource SKUs say it, by their names where a name says more. */
export async function readAzureSizes(
  { source, managementUrl = MANAGEMENT }: { readonly source: PriceSource; readonly managementUrl?: string },
  { subscription, token }: { readonly subscription: string; readonly token: string },
): Promise<AzureSizes> {
  const types = new Map<string, CatalogType>();
  const unknown = new Set<string>();
  const path = `/subscriptions/${encodeURIComponent(subscription)}/providers/Microsoft.Compute/skus`;
  let url: string | null = `${managementUrl}${path}?api-version=2021-07-01`;
  while (url !== null) {
    const headers = { authorization: `Bearer ${token}` };
    const reply: z.infer<typeof page> = await source.json({ url, headers }, page);
    for (const sku of reply.value) {
      if (sku.resourceType !== 'virtualMachines' || !isOfSeries(sku.name)) continue;
      const type = typeOf(sku);
      if (type === null) unknown.add(sku.name);
      else types.set(type.name, type);
    }
    url = reply.nextLink ?? null;
  }
  const names = [...unknown].sort();
  return {
    types: [...types.values()],
    remarks: names.length === 0 ? [] : [`too little is known of ${names.length} sizes: ${names.join(', ')}`],
  };
}

function isOfSeries(name: string): boolean {
  const bare = name.replace(/^Standard_/, '');
  return bare !== name && SERIES.some((pattern) => pattern.test(bare)) && !/^(NC|ND|NV)\d+r?s?(_v2)?$/.test(bare);
}

function typeOf({ name, capabilities = [] }: Sku): CatalogType | null {
  const told = new Map(capabilities.map((each) => [each.name, each.value]));
  // Of a size with fewer processors than its machine only these can be used.
  const cpus = Number(told.get('vCPUsAvailable') ?? told.get('vCPUs'));
  const memoryGb = Number(told.get('MemoryGB'));
  if (!(cpus > 0) || !(memoryGb > 0)) return null;
  const count = Number(told.get('GPUs') ?? '0');
  const gpu = count > 0 ? gpuOf(name, cpus, count) : null;
  if (gpu === null && (count > 0 || /^Standard_N/.test(name))) return null;
  return {
    name,
    cpus,
    memoryMib: Math.round(memoryGb * 1024),
    gpu,
    cpuArch: told.get('CpuArchitectureType') === 'Arm64' ? 'arm' : 'x86',
    diskGb: null,
    flags: [],
  };
}

const GPUS: readonly (readonly [RegExp, CatalogGpu['vendor'], string, number])[] = [
  [/_H100_v5$/, 'nvidia', 'H100', 80],
  [/_H200_v5$/, 'nvidia', 'H200', 141],
  [/_MI300X_v5$/, 'amd', 'MI300X', 192],
  [/_A100_v4$/, 'nvidia', 'A100', 80],
  [/^Standard_ND\d+asr_v4$/, 'nvidia', 'A100', 40],
  [/_T4_v3$/, 'nvidia', 'T4', 16],
  [/^Standard_NC\d+r?s_v3$/, 'nvidia', 'V100', 16],
  [/^Standard_ND\d+rs_v2$/, 'nvidia', 'V100', 32],
];

function gpuOf(name: string, cpus: number, count: number): CatalogGpu | null {
  // NC: the card with 94 GB has a name of its own.
  if (/^Standard_NC\d+.*_H100_v5$/.test(name))
    return { vendor: 'nvidia', name: 'H100NVL', count, memoryMib: 94 * 1024 };
  const known = GPUS.find(([pattern]) => pattern.test(name));
  if (known !== undefined) return { vendor: known[1], name: known[2], count, memoryMib: known[3] * 1024 };
  // Fractions of a card are sold as one.
  const wholeAt = /_A10_v5$/.test(name) ? 36 : /_A10_v4$/.test(name) ? 16 : null;
  if (wholeAt === null) return null;
  const memoryMib = Math.round(24 * 1024 * Math.min(1, cpus / wholeAt));
  return { vendor: 'nvidia', name: 'A10', count: Math.ceil(count), memoryMib };
}
