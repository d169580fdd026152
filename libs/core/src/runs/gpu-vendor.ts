import { imageKind, type ImageChoice } from '../jobs/image.js';
import { knownAccelerator } from '../offers/known-accelerators.js';
import type * as Wire from '../wire/generated/api.js';

/** The vendor a GPU requirement means when it names none: what the image can drive, or what all the names share. */
export function inferGpuVendor(gpu: Wire.ResourcesSpec['gpu'], image: ImageChoice): Wire.AcceleratorVendor | null {
  if (gpu?.vendor) return gpu.vendor;
  if (gpu?.count?.max === 0) return null;
  const names = gpu?.name ?? [];
  if (names.length === 0) return imageKind(image) === 'default' ? 'nvidia' : null;
  const vendors = new Set(names.map((name) => knownAccelerator(name)?.vendor ?? null));
  const [only] = vendors;
  return vendors.size === 1 && only ? only : null;
}

const DEFAULT_GPU: NonNullable<Wire.ResourcesSpec['gpu']> = {
  vendor: null,
  name: null,
  count: { min: 0, max: null },
  memory: null,
  total_memory: null,
  compute_capability: null,
};

export function withGpuVendor(resources: Wire.ResourcesSpec, image: ImageChoice): Wire.ResourcesSpec {
  const gpu = resources.gpu ?? DEFAULT_GPU;
  return { ...resources, gpu: { ...gpu, vendor: inferGpuVendor(gpu, image) } };
}

/** Vendors the default image has no libraries for. */
export function needsOwnImage(resources: Wire.ResourcesSpec, image: ImageChoice): readonly Wire.AcceleratorVendor[] {
  if (imageKind(image) !== 'default' || resources.gpu?.count?.max === 0) return [];
  const { vendor, name } = resources.gpu ?? {};
  const vendors = vendor
    ? [vendor]
    : (name ?? []).map((each) => knownAccelerator(each)?.vendor).filter((each) => each !== undefined);
  return [...new Set(vendors)].filter((each) => each !== 'nvidia' && each !== 'google').sort();
}
