import { closestName } from '../configuration/schema/closest-name.js';
import { gpuVendors } from '../resources/gpu.js';
import type * as Wire from '../wire/generated/api.js';
import { acceleratorNames, isTpuName, knownAccelerator } from './known-accelerators.js';
import type { RejectionReason } from './rejection.js';

/** Names no catalogue has are asked for by mistake more often than of a device that is new: said where nothing fits, never refused. */
export function unknownGpus(spec: Wire.ResourcesSpec['gpu']): RejectionReason[] {
  return (spec?.name ?? [])
    .filter((name) => knownAccelerator(name) === undefined && !isTpuName(name))
    .map((name) => ({ code: 'gpu-name', text: `no GPU called ${name} is known${suggestionFor(name)}` }));
}

function suggestionFor(name: string): string {
  const names = [...acceleratorNames(), ...gpuVendors];
  const byLowerCase = new Map(names.map((known) => [known.toLowerCase(), known]));
  const closest = byLowerCase.get(closestName(name.toLowerCase(), [...byLowerCase.keys()]) ?? '');
  return closest === undefined ? '' : `, did you mean ${closest}?`;
}
