import type { IntRange } from '../offers/offer.js';
import { formatRange, intersectRanges } from '../offers/range.js';
import type * as Wire from '../wire/generated/api.js';
import { combined, conflict, equalOrUnset, lower, type Combined } from './combined.js';

type Gpu = NonNullable<Wire.ResourcesSpec['gpu']>;

/** What a machine must have to suit both a fleet and a run. */
export function combineResources(fleet: Wire.ResourcesSpec, run: Wire.ResourcesSpec): Combined<Wire.ResourcesSpec> {
  const arch = equalOrUnset('cpu architecture', fleet.cpu?.arch, run.cpu?.arch);
  if (!arch.ok) return arch;
  const cpus = combineRanges('cpu', fleet.cpu?.count, run.cpu?.count);
  if (!cpus.ok) return cpus;
  const memory = combineRanges('memory', fleet.memory, run.memory, 'GB');
  if (!memory.ok) return memory;
  const disk = combineRanges('disk', fleet.disk?.size, run.disk?.size, 'GB');
  if (!disk.ok) return disk;
  const gpu = combineGpus(fleet.gpu ?? null, run.gpu ?? null);
  if (!gpu.ok) return gpu;
  return combined({
    cpu: { arch: arch.value, count: cpus.value ?? { min: null, max: null } },
    memory: memory.value ?? { min: null, max: null },
    shm_size: lower(fleet.shm_size, run.shm_size),
    gpu: gpu.value,
    disk: disk.value === null ? null : { size: disk.value },
  });
}

function combineGpus(fleet: Gpu | null, run: Gpu | null): Combined<Gpu | null> {
  if (fleet === null || run === null) return combined(fleet ?? run);
  const vendor = equalOrUnset('gpu vendor', fleet.vendor, run.vendor);
  if (!vendor.ok) return vendor;
  const count = combineRanges('gpu count', fleet.count, run.count);
  if (!count.ok) return count;
  const memory = combineRanges('gpu memory', fleet.memory, run.memory, 'GB');
  if (!memory.ok) return memory;
  const total = combineRanges('total gpu memory', fleet.total_memory, run.total_memory, 'GB');
  if (!total.ok) return total;
  const names = commonNames(fleet.name ?? null, run.name ?? null);
  const rest = {
    vendor: vendor.value,
    memory: memory.value,
    total_memory: total.value,
    // Both must be met, so the stronger one decides.
    compute_capability: strongerCapability(fleet.compute_capability, run.compute_capability),
  };
  if (names === null || names.length > 0)
    return combined({ ...rest, name: names, count: count.value ?? { min: 0, max: null } });
  // No accelerator has a name both accept; a machine without any still does when none is required.
  if ((count.value?.min ?? 0) > 0) {
    return conflict(
      `gpu: the fleet has ${(fleet.name ?? []).join(', ')}, the run asks for ${(run.name ?? []).join(', ')}`,
    );
  }
  return combined({ ...rest, name: null, count: { min: 0, max: 0 } });
}

function commonNames(fleet: readonly string[] | null, run: readonly string[] | null): string[] | null {
  if (fleet === null || run === null) return fleet === null ? (run === null ? null : [...run]) : [...fleet];
  const asked = new Set(run.map((name) => name.toLowerCase()));
  return fleet.filter((name) => asked.has(name.toLowerCase()));
}

function strongerCapability(
  a: readonly number[] | null | undefined,
  b: readonly number[] | null | undefined,
): number[] | null {
  if (!a || !b) return a ? [...a] : b ? [...b] : null;
  const difference = (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0);
  return difference >= 0 ? [...a] : [...b];
}

type WireRange = { min?: number | null; max?: number | null };

function combineRanges(
  what: string,
  fleet: IntRange | null | undefined,
  run: IntRange | null | undefined,
  unit = '',
): Combined<WireRange | null> {
  if (!fleet || !run) {
    const only = fleet ?? run;
    return combined(only ? { min: only.min ?? null, max: only.max ?? null } : null);
  }
  const both = intersectRanges(fleet, run);
  if (both !== null) return combined({ min: both.min ?? null, max: both.max ?? null });
  return conflict(`${what}: the fleet has ${formatRange(fleet, unit)}, the run asks for ${formatRange(run, unit)}`);
}
