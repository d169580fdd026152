/** Which of dstack's own machine images are used: whoever publishes others names them alike. */
export interface MachineImages {
  /** Before each name. */
  readonly prefix: string;
  readonly version: string;
}

export const PUBLISHED_MACHINE_IMAGES: MachineImages = { prefix: '', version: '0.14' };

/** Not of the newest: the last ones with a driver for GPUs before Turing. */
const OLD_DRIVER_VERSION = '0.10';

/** `plain`: Docker; `cuda`: with NVIDIA's driver; `grid`: with its driver for parts of cards; `old-cuda`: with one for GPUs before Turing. */
export type MachineImageKind = 'plain' | 'cuda' | 'grid' | 'old-cuda';

/** `dstack-cuda-0.14` */
export function machineImageName(kind: MachineImageKind, { prefix, version }: MachineImages): string {
  if (kind === 'old-cuda') return `${prefix}dstack-cuda-${OLD_DRIVER_VERSION}`;
  return `${prefix}dstack${kind === 'plain' ? '' : `-${kind}`}-${version}`;
}
