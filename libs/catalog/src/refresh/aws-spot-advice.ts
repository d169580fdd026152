import { z } from 'zod';
import type { PriceSource } from './source-client.js';

const ADVICE = 'https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json';

const reply = z.object({
  spot_advisor: z.record(
    z.string(),
    z.object({ Linux: z.record(z.string(), z.object({ s: z.number().min(0).max(100) })).optional() }),
  ),
});

/** Savings against the on-demand price, in whole percent, by region and instance type (`eu-west-1 g6.xlarge`). */
export async function readSpotAdvice(source: PriceSource, url = ADVICE): Promise<ReadonlyMap<string, number>> {
  const { spot_advisor: regions } = await source.json({ url }, reply);
  return new Map(
    Object.entries(regions).flatMap(([region, { Linux: types = {} }]) =>
      Object.entries(types).map(([type, { s }]): [string, number] => [`${region} ${type}`, s]),
    ),
  );
}
