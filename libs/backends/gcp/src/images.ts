import { type MachineImageKind, machineImageName, type MachineImages } from '@dstack/backend-base';

const PUBLISHED = 'projects/dstack/global/images';
/** With what eight H100 need to speak over all their network cards. */
const A3_MEGA = `${PUBLISHED}/dstack-a3mega-5`;

/** Ubuntu by its makers, the newest. */
export const GATEWAY_IMAGE = 'projects/ubuntu-os-cloud/global/images/family/ubuntu-2204-lts';

const NEEDS_OLD_DRIVER: ReadonlySet<string> = new Set(['V100', 'P100']);

/** By dstack's makers: Ubuntu with Docker, and with the driver that the GPUs need. */
export function imageOf(type: string, gpu: string | null, images: MachineImages): string {
  if (type === 'a3-megagpu-8g') return A3_MEGA;
  const kind: MachineImageKind = gpu === null ? 'plain' : NEEDS_OLD_DRIVER.has(gpu) ? 'old-cuda' : 'cuda';
  // Names of images have no dots there.
  return `${PUBLISHED}/${machineImageName(kind, images).replaceAll('.', '-')}`;
}
