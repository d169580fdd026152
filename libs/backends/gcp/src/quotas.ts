import type { CatalogGpu } from '@dstack/catalog';
import { quotaMetric } from './accelerators.js';
import type { GceRegion } from './schema.js';

/** What an account may still have in a region, by metric. */
export type FreeQuotas = ReadonlyMap<string, number>;

export function freeQuotas({ quotas }: Pick<GceRegion, 'quotas'>): FreeQuotas {
  return new Map(
    (quotas ?? []).flatMap(({ metric, limit, usage }) =>
      metric === undefined || limit === undefined ? [] : [[metric, limit - (usage ?? 0)] as const],
    ),
  );
}

/** Why the account cannot have one now; null: it can, or nobody knows. */
export function whyNoQuota(gpu: CatalogGpu | null, isSpot: boolean, free: FreeQuotas | null): string | null {
  const metric = gpu === null ? null : quotaMetric(gpu, isSpot);
  if (gpu === null || metric === null) return null;
  const left = free?.get(metric);
  if (left === undefined || left >= gpu.count) return null;
  return `the quota ${metric} leaves ${Math.max(0, left)}, the machine has ${gpu.count}`;
}
