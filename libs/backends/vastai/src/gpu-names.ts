import { knownAccelerator, normaliseGpuName } from '@dstack/core';

/** Where one name of ours is several of theirs, or one that no rule gives. */
const SEVERAL: Readonly<Record<string, readonly string[]>> = {
  A100: ['A100 PCIE', 'A100 SXM4'],
  A800: ['A800 PCIE'],
  H100: ['H100 PCIE', 'H100 SXM'],
  H100NVL: ['H100 NVL'],
  H200NVL: ['H200 NVL'],
  QRTX8000: ['Q RTX 8000'],
};
const SAME: ReadonlySet<string> = new Set(['A10', 'A40', 'A100X', 'B200', 'H200', 'L4', 'L40', 'L40S']);

/** For the search; null: no filter by names, as one of them is not known there. */
export function theirNames(ours: readonly string[] | null): string[] | null {
  if (ours === null || ours.length === 0) return null;
  const names = ours.map(theirName);
  return names.includes(null) ? null : names.flatMap((each) => each ?? []);
}

function theirName(name: string): readonly string[] | null {
  const known = knownAccelerator(name)?.name ?? name;
  const several = SEVERAL[known];
  if (several !== undefined) return several;
  if (SAME.has(known)) return [known];
  if (/^(V100|T4|P4|P40|P100)$/.test(known)) return [`Tesla ${known}`];
  if (/^A\d000$/.test(known)) return [`RTX ${known}`];
  const [, number, ti = '', kind = ''] = /^RTX(\d{4})(Ti)?(SUPER|Ada)?$/.exec(known) ?? [];
  if (number === undefined) return null;
  // `RTX 4070S Ti`, `RTX 6000Ada`
  const mark = kind === 'SUPER' ? 'S' : kind;
  return [`RTX ${number}${mark}${ti === '' ? '' : ' Ti'}`];
}

/** Null for those that nobody can ask for by name. */
export function ourName(theirs: string): string | null {
  return knownAccelerator(normaliseGpuName(theirs))?.name ?? null;
}
