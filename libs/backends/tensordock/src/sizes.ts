import type { Wire } from '@dstack/core';
import type { TensorDockGpu } from './schema.js';

/** Of a machine that can be cut to measure: what is asked for, in the steps that TensorDock has. */
export interface Size {
  readonly gpus: number;
  readonly vcpus: number;
  readonly ramGb: number;
  readonly storageGb: number;
}

const CPU_STEP = 2;
const RAM_STEP_GB = 8;
const STORAGE_STEP_GB = 50;
const MIN_STORAGE_GB = 100;

/** The sizes of one kind of GPU that a request may want: for each number of GPUs the smallest machine that satisfies it. */
export function sizesFor(gpu: TensorDockGpu, spec: Wire.ResourcesSpec): Size[] {
  const counts = Array.from({ length: gpu.max_count }, (_, index) => index + 1);
  const { max_vcpus: maxCpus, max_ram_gb: maxRam, max_storage_gb: maxStorage } = gpu.resources;
  return counts.flatMap((gpus) => {
    const size = {
      gpus,
      vcpus: upTo(Math.max(spec.cpu?.count?.min ?? 0, 4 * gpus), CPU_STEP),
      ramGb: upTo(Math.max(spec.memory?.min ?? 0, 16 * gpus), RAM_STEP_GB),
      storageGb: upTo(Math.max(spec.disk?.size?.min ?? 0, MIN_STORAGE_GB), STORAGE_STEP_GB),
    };
    const isThere = size.vcpus <= maxCpus && size.ramGb <= maxRam && size.storageGb <= maxStorage;
    return isThere ? [size] : [];
  });
}

/** USD per hour. */
export function priceOf({ price_per_hr: perGpu, pricing }: TensorDockGpu, size: Size): number {
  const sum =
    size.gpus * perGpu +
    size.vcpus * pricing.per_vcpu_hr +
    size.ramGb * pricing.per_gb_ram_hr +
    size.storageGb * pricing.per_gb_storage_hr;
  return Math.round(sum * 1e6) / 1e6;
}

function upTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
