import type { CatalogType } from '@dstack/catalog';
import { isSingleHostTpu, isTpu } from './tpu-types.js';

const FAMILIES = /^(m4-|c4-|n4-|h3-|n2-|e2-medium$|e2-standard-|e2-highmem-|e2-highcpu-|m1-|a2-|a3-|g2-)/;

/** Older than what the images drive. */
const TOO_OLD: ReadonlySet<string> = new Set(['K80', 'P4', 'P100']);

const KNOWN_FLAGS: ReadonlySet<string> = new Set(['gcp-a4', 'gcp-g4']);
/** Sold by the calendar: only in a reservation. */
const CALENDAR_FLAG = 'gcp-dws-calendar-mode';

/** What is offered of the catalog: an entry with a mark that is not known yet is none. */
export function isOffered({ name, gpu, flags }: CatalogType, isReserved: boolean): boolean {
  if (!flags.every((flag) => KNOWN_FLAGS.has(flag) || (isReserved && flag === CALENDAR_FLAG))) return false;
  if (isTpu(name)) return !isReserved && isSingleHostTpu(name);
  if (gpu === null) return FAMILIES.test(name);
  return !TOO_OLD.has(gpu.name);
}

/** Machines to which GPUs are added; all others have theirs. */
export function takesGpus(type: string): boolean {
  return type.startsWith('n1-');
}

const HYPERDISK_ONLY = /^(m4|c4|n4|h3|a4|g4)-|^a3-ultragpu-/;

/** New families know no persistent disks. */
export function bootDiskType(type: string): 'pd-balanced' | 'hyperdisk-balanced' {
  return HYPERDISK_ONLY.test(type) ? 'hyperdisk-balanced' : 'pd-balanced';
}

/** Volumes are persistent disks. */
export function takesVolumes(type: string): boolean {
  return !HYPERDISK_ONLY.test(type) && !type.startsWith('v6e-');
}

/** They cannot move to another host while they run. */
export function staysOnItsHost(type: string, gpus: number): boolean {
  return gpus > 0 || /^(a\d|g\d|h3)-/.test(type);
}
