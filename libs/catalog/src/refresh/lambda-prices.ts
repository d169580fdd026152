import { z } from 'zod';
import type { CatalogRow, PriceSource as Origin } from '../catalog-row.js';
import { lambdaType } from '../lambda-type.js';
import type { Reading } from './reading.js';
import { dayOf } from './reading-date.js';
import type { PriceSource } from './source-client.js';

const API = 'https://cloud.lambdalabs.com';

const region = z.object({ name: z.string() });
const types = z.object({
  data: z.record(
    z.string(),
    z.object({
      instance_type: z.object({
        name: z.string(),
        gpu_description: z.string().default(''),
        price_cents_per_hour: z.number().positive(),
        specs: z.object({ vcpus: z.number(), memory_gib: z.number(), storage_gib: z.number(), gpus: z.number() }),
      }),
      regions_with_capacity_available: z.array(region),
    }),
  ),
});
const images = z.object({ data: z.array(z.object({ region })) });

export interface LambdaReader {
  readonly source: PriceSource;
  readonly now: () => number;
  readonly apiKey: string;
  readonly apiUrl?: string;
}

/** Lambda's types at one price, every type in every region. */
export async function readLambda({ source, now, apiKey, apiUrl = API }: LambdaReader): Promise<Reading> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const ask = <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    source.json({ url: `${apiUrl}/api/v1/${path}`, headers }, schema);
  const [listed, placed] = await Promise.all([ask('instance-types', types), ask('images', images)]);
  const all = Object.values(listed.data);
  const withCapacity = all.flatMap(({ regions_with_capacity_available: places }) => places.map(({ name }) => name));
  const regions = [...new Set([...placed.data.map((image) => image.region.name), ...withCapacity])].sort();
  const origin: Origin = {
    source: 'Lambda price list',
    date: dayOf(now()),
    isExact: true,
    note: 'the same in every region',
  };
  const unknown: string[] = [];
  const rows = all.flatMap(({ instance_type: told }): CatalogRow[] => {
    const type = lambdaType(told);
    if (type === null) unknown.push(told.name);
    if (type === null) return [];
    const price = told.price_cents_per_hour / 100;
    return regions.map((location) => ({ type, location, price, isSpot: false, source: origin }));
  });
  return {
    rows,
    covers: ({ type }) => !unknown.includes(type.name),
    failed: [],
    remarks: unknown.length === 0 ? [] : [`nobody can ask for the GPUs of ${unknown.sort().join(', ')} by name`],
  };
}
