/** Ubuntu with Docker by dstack, the second with NVIDIA's driver, the third with one for GPUs before Turing. */
const CPU = 'projects/dstack/global/images/dstack-0-14';
const NVIDIA = 'projects/dstack/global/images/dstack-cuda-0-14';
const OLD_NVIDIA = 'projects/dstack/global/images/dstack-cuda-0-10';
/** With what eight H100 need to speak over all their network cards. */
const A3_MEGA = 'projects/dstack/global/images/dstack-a3mega-5';

/** Ubuntu by its makers, the newest. */
export const GATEWAY_IMAGE = 'projects/ubuntu-os-cloud/global/images/family/ubuntu-2204-lts';

const NEEDS_OLD_DRIVER: ReadonlySet<string> = new Set(['V100', 'P100']);

export function imageOf(type: string, gpu: string | null): string {
  if (type === 'a3-megagpu-8g') return A3_MEGA;
  if (gpu === null) return CPU;
  return NEEDS_OLD_DRIVER.has(gpu) ? OLD_NVIDIA : NVIDIA;
}
