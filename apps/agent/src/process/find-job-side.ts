import { readFileSync } from 'node:fs';
import { listProcs } from './proc-table.js';

/** Pid of a job side that serves this directory already. */
export function findJobSide(sharedDir: string): number | undefined {
  return listProcs().find((proc) => {
    try {
      return readFileSync(`/proc/${proc.pid}/cmdline`, 'latin1').endsWith(`\0job\0--dir\0${sharedDir}\0`);
    } catch {
      return false;
    }
  })?.pid;
}
