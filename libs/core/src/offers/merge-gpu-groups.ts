import type * as Wire from '../wire/generated/api.js';

/** Groups of several tables, grouped alike, as of one; in any order. `byCount`: a number of GPUs is a group of its own. */
export function mergeGpuGroups(groups: readonly Wire.GpuGroup[], byCount: boolean): Wire.GpuGroup[] {
  const merged = new Map<string, Wire.GpuGroup>();
  for (const group of groups) {
    const { name, memory_mib: memory, vendor, backend, region, count } = group;
    const key = `${name}\n${memory}\n${vendor}\n${backend ?? ''}\n${region ?? ''}\n${byCount ? count.min : ''}`;
    const known = merged.get(key);
    merged.set(key, known === undefined ? group : merge(known, group));
  }
  return [...merged.values()];
}

function merge(a: Wire.GpuGroup, b: Wire.GpuGroup): Wire.GpuGroup {
  return {
    ...a,
    availability: union(a.availability, b.availability),
    spot: union(a.spot, b.spot),
    count: span(a.count, b.count),
    price: span(a.price, b.price),
    ...(a.backends && b.backends ? { backends: union(a.backends, b.backends) } : {}),
    ...(a.regions && b.regions ? { regions: union(a.regions, b.regions) } : {}),
  };
}

function union<T extends string>(a: readonly T[], b: readonly T[]): T[] {
  return [...new Set([...a, ...b])].sort();
}

interface Span {
  readonly min?: number | null;
  readonly max?: number | null;
}

function span(a: Span, b: Span): { min: number; max: number } {
  return { min: Math.min(a.min ?? 0, b.min ?? 0), max: Math.max(a.max ?? 0, b.max ?? 0) };
}
