/** What is offered of Azure's many hundred sizes: current ones that the images fit. */
const OFFERED: readonly RegExp[] = [
  /^D\d+s_v6$/,
  /^E\d+i?s_v6$/,
  /^F\d+s_v2$/,
  /^NC\d+s_v3$/,
  /^NC\d+as_T4_v3$/,
  /^NC\d+ads_A100_v4$/,
  /^NC\d+adi?s_H100_v5$/,
  /^ND\d+rs_v2$/,
  /^ND\d+asr_v4$/,
  /^ND\d+amsr_A100_v4$/,
  /^ND\d+isr_H[12]00_v5$/,
  /^NV\d+adm?s_A10_v5$/,
];

export function isOffered(size: string): boolean {
  const name = size.replace(/^Standard_/, '');
  return name !== size && OFFERED.some((pattern) => pattern.test(name));
}

/** Sizes that have disks of this kind only. */
export function needsNvme(size: string): boolean {
  return size.endsWith('_v6');
}
