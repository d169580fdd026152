import { knownAccelerator, type KnownAccelerator, normaliseGpuName, type Offer, type Wire } from '@dstack/core';
import type { TensorDockGpu, TensorDockLocation } from './schema.js';
import { priceOf, type Size, sizesFor } from './sizes.js';

/** What is listed is there. Only places that give machines an address of their own: the others have ports that nobody may choose. */
export function offersOf(locations: readonly TensorDockLocation[], requirements: Wire.Requirements): Offer[] {
  const offers = locations.flatMap((location) =>
    location.gpus
      .filter(({ network_features: { dedicated_ip_available: hasIp } }) => hasIp)
      .flatMap((gpu) => {
        const known = acceleratorOf(gpu.v0Name);
        if (known === null) return [];
        return sizesFor(gpu, requirements.resources).map((size) => toOffer(location, gpu, known, size));
      }),
  );
  return offers.sort((a, b) => a.price - b.price);
}

export interface Accelerator {
  readonly known: KnownAccelerator;
  readonly memoryGb: number;
}

/** `geforcertx4090-pcie-24gb`; null for what nobody can ask for by name. */
export function acceleratorOf(model: string): Accelerator | null {
  const [, gb] = /-(\d+)gb$/.exec(model) ?? [];
  const known = knownAccelerator(normaliseGpuName(model));
  return known === undefined || gb === undefined ? null : { known, memoryGb: Number(gb) };
}

/** `united-states-chicago`. */
export function regionOf({ country, city }: Pick<TensorDockLocation, 'country' | 'city'>): string {
  return `${country}-${city}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

/** Everything that a create call needs is in the name: `loc-7d2e/1x-geforcertx4090-pcie-24gb/4c-16g-100d`. */
export function typeName(location: string, model: string, { gpus, vcpus, ramGb, storageGb }: Size): string {
  return `${location}/${gpus}x-${model}/${vcpus}c-${ramGb}g-${storageGb}d`;
}

export interface ParsedType {
  readonly location: string;
  readonly model: string;
  readonly size: Size;
}

/** Null for a name that `typeName` did not make. */
export function parseTypeName(name: string): ParsedType | null {
  const [, location, gpus, model, vcpus, ramGb, storageGb] =
    /^(.+)\/(\d+)x-([a-z0-9-]+)\/(\d+)c-(\d+)g-(\d+)d$/.exec(name) ?? [];
  if (location === undefined || model === undefined) return null;
  const size = { gpus: Number(gpus), vcpus: Number(vcpus), ramGb: Number(ramGb), storageGb: Number(storageGb) };
  return { location, model, size };
}

function toOffer(
  location: TensorDockLocation,
  gpu: TensorDockGpu,
  { known, memoryGb }: Accelerator,
  size: Size,
): Offer {
  const one = { name: known.name, vendor: known.vendor, memory_mib: memoryGb * 1024 };
  return {
    backend: 'tensordock',
    instance: {
      name: typeName(location.id, gpu.v0Name, size),
      resources: {
        cpus: size.vcpus,
        memory_mib: size.ramGb * 1024,
        gpus: Array.from({ length: size.gpus }, () => ({ ...one })),
        spot: false,
        disk: { size_mib: size.storageGb * 1024 },
        cpu_arch: 'x86',
        description: '',
      },
    },
    region: regionOf(location),
    price: priceOf(gpu, size),
    availability: 'available',
    availability_zones: null,
    instance_runtime: 'shim',
    blocks: 1,
    total_blocks: 1,
  };
}
