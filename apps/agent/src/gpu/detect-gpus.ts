import { discoverGpus, type GpuInventory } from './discover-gpus.js';
import { hostProbe } from './host-probe.js';

/** The accelerators of the host this runs on. */
export function detectGpus(): Promise<GpuInventory> {
  return discoverGpus(hostProbe);
}
