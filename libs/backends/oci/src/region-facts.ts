import type { LimitValue, Shape } from './schema.js';
import { coresOf, hasGpus } from './shapes.js';

/** What Oracle says of an availability domain. */
export interface DomainFacts {
  readonly name: string;
  /** Shapes the account may ask for, with the names of the limits that count. Null: it was not told. */
  readonly shapes: ReadonlyMap<string, readonly string[]> | null;
  /** Shapes with GPUs that have a free host. Null: it was not told. */
  readonly free: ReadonlySet<string> | null;
}

export interface RegionFacts {
  /** Null: it was not told, so nobody knows where in the region. */
  readonly domains: readonly DomainFacts[] | null;
  /** By name and domain. Null: they were not told. */
  readonly limits: readonly LimitValue[] | null;
}

export interface Wanted {
  readonly shape: string;
  readonly cpus: number;
  readonly gpus: number;
}

export interface Verdict {
  readonly availability: 'available' | 'unknown' | 'not_available' | 'no_quota';
  readonly reason: string | null;
  /** Domains to try, those with a free host only when there are some. Null: unknown. */
  readonly zones: readonly string[] | null;
}

export function judge(wanted: Wanted, { domains, limits }: RegionFacts): Verdict {
  if (domains === null) return { availability: 'unknown', reason: null, zones: null };
  const { shape } = wanted;
  const sold = domains.filter(({ shapes }) => shapes === null || shapes.has(shape));
  if (sold.length === 0)
    return { availability: 'no_quota', reason: `the tenancy may not use ${shape} in this region`, zones: [] };
  const reasons = sold.map((domain) => whyNoQuota(wanted, domain, limits));
  const allowed = sold.filter((_, index) => reasons[index] === null);
  if (allowed.length === 0) return { availability: 'no_quota', reason: reasons[0] ?? null, zones: [] };
  const zones = allowed.map(({ name }) => name);
  if (!hasGpus(shape) || allowed.some(({ free }) => free === null))
    return { availability: 'unknown', reason: null, zones };
  const free = allowed.filter((domain) => domain.free?.has(shape));
  if (free.length > 0) return { availability: 'available', reason: null, zones: free.map(({ name }) => name) };
  // Reports have denied bare metal that was there.
  if (shape.startsWith('BM.')) return { availability: 'unknown', reason: null, zones };
  return { availability: 'not_available', reason: 'no free host in any availability domain', zones };
}

/** Why a domain may never have one; null: it may, or nobody knows. */
function whyNoQuota(
  { shape, cpus, gpus }: Wanted,
  { name: domain, shapes }: DomainFacts,
  limits: RegionFacts['limits'],
): string | null {
  for (const name of shapes?.get(shape) ?? []) {
    const limit = limits?.find((each) => each.name === name && (each.availabilityDomain ?? domain) === domain);
    if (limit === undefined) continue;
    const needed = /core-count/.test(name) ? coresOf(cpus) : /^gpu/.test(name) ? gpus : 1;
    if (limit.value < needed) return `the limit ${name} is ${limit.value}, ${shape} needs ${needed}`;
  }
  return null;
}

export function shapesOf(shapes: readonly Shape[]): Map<string, readonly string[]> {
  return new Map(shapes.map(({ shape, quotaNames }) => [shape, quotaNames ?? []]));
}
