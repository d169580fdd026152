import type { Offer, Wire } from '@dstack/core';
import type { Allocation } from './allocation.js';
import type { LocalMachine } from './local-machine.js';

export function localOffer(
  machine: LocalMachine,
  allocation: Allocation,
  options: { wantedArch: Wire.CPUArchitecture | null; lacks: string | null },
): Offer {
  return {
    backend: 'local',
    instance: {
      name: 'local',
      resources: {
        cpus: allocation.cpus,
        memory_mib: allocation.memoryMib,
        gpus: allocation.gpus
          .map((index) => machine.gpus[index])
          .filter((gpu) => gpu !== undefined)
          .map((gpu) => ({ ...gpu })),
        spot: false,
        // Unknown: whatever lies on the machine's disk.
        disk: { size_mib: 0 },
        cpu_arch: offeredArch(machine, options.wantedArch),
        description: '',
      },
    },
    region: 'local',
    price: 0,
    backend_data: { gpus: [...allocation.gpus] },
    availability: options.lacks === null ? 'available' : 'not_available',
    ...(options.lacks === null ? {} : { availability_reason: options.lacks }),
    availability_zones: null,
    instance_runtime: 'shim',
    blocks: 1,
    total_blocks: 1,
  };
}

// The default image asks for x86, but a job without an image runs here as a process, and engines on ARM desktops emulate x86:
// an unknown architecture lets both through, where the true one would leave such machines without any offer.
function offeredArch(machine: LocalMachine, wanted: Wire.CPUArchitecture | null): Wire.CPUArchitecture | null {
  return wanted === 'x86' && machine.cpuArch === 'arm' ? null : machine.cpuArch;
}

/** The part of the machine an offer stands for. */
export function allocationOfOffer(offer: Offer): Allocation {
  const gpus = offer.backend_data?.['gpus'];
  return {
    cpus: offer.instance.resources.cpus,
    memoryMib: offer.instance.resources.memory_mib,
    gpus: Array.isArray(gpus) ? gpus.filter((index): index is number => typeof index === 'number') : [],
  };
}
