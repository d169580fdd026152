/** Cores (v2, v3, v5p) or chips of the biggest slice that is one host; of v4 there is none. */
const BIGGEST_SINGLE_HOST: Readonly<Record<string, number>> = { v2: 8, v3: 8, v5p: 8, v5litepod: 8, v6e: 8 };

const TPU = /^(v\d+[a-z]*)-(\d+)$/;

export function isTpu(type: string): boolean {
  return TPU.test(type);
}

/** Slices of several hosts would need a job on each of them; versions that are not known yet are none. */
export function isSingleHostTpu(type: string): boolean {
  const [, version = '', size] = TPU.exec(type) ?? [];
  const biggest = BIGGEST_SINGLE_HOST[version];
  return biggest !== undefined && Number(size) <= biggest;
}

/** The software that a TPU starts with. */
export function runtimeVersion(type: string): string {
  if (type.startsWith('v6e-')) return 'v2-alpha-tpuv6e';
  if (type.startsWith('v5litepod-')) return 'v2-alpha-tpuv5-lite';
  return 'tpu-ubuntu2204-base';
}

/** All TPUs have a disk of this size and no other. */
export const TPU_DISK_GB = 100;
