import type { JobStart } from '@dstack/agent-protocol';
import type { Cgroup } from './cgroup.js';

export interface CgroupWrite {
  readonly path: string;
  readonly value: string;
  /** Not every kernel has the file: it counts swap. */
  readonly isOptional: boolean;
}

const PERIOD_MICROS = 100_000;
/** The kernel takes no less. */
const MIN_QUOTA_MICROS = 1_000;

/** What is to be written, in this order, so that the group may use no more than its share. */
export function limitWrites(cgroup: Cgroup, limits: NonNullable<JobStart['limits']>): CgroupWrite[] {
  const { cpus, memoryBytes } = limits;
  const writes: CgroupWrite[] = [];
  const write = (path: string, value: string | number, isOptional = false): void => {
    writes.push({ path, value: String(value), isOptional });
  };
  const quota = cpus === undefined ? undefined : Math.max(MIN_QUOTA_MICROS, Math.round(cpus * PERIOD_MICROS));
  const bytes = memoryBytes === undefined ? undefined : Math.floor(memoryBytes);
  if (cgroup.version === 2) {
    if (quota !== undefined) write(`${cgroup.dir}/cpu.max`, `${quota} ${PERIOD_MICROS}`);
    if (bytes !== undefined) {
      write(`${cgroup.dir}/memory.max`, bytes);
      write(`${cgroup.dir}/memory.swap.max`, 0, true);
    }
    return writes;
  }
  if (quota !== undefined) {
    write(`${cgroup.cpu}/cpu.cfs_period_us`, PERIOD_MICROS);
    write(`${cgroup.cpu}/cpu.cfs_quota_us`, quota);
  }
  if (bytes !== undefined) {
    write(`${cgroup.memory}/memory.limit_in_bytes`, bytes);
    write(`${cgroup.memory}/memory.memsw.limit_in_bytes`, bytes, true);
  }
  return writes;
}
