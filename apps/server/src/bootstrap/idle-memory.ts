import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Scheduler, Timer } from '../world/scheduler.js';

const LOOK_MS = 5_000;
/** Of one processor: what a server does while nothing happens. */
const QUIET_SHARE = 0.2;
/** What collecting everything is worth: it stops the server for a moment, longer the more there is that lives. */
const WORTH_BYTES = 48 * 1024 ** 2;

export interface Look {
  /** Processors in use since the last look. */
  readonly share: number;
  readonly wasQuiet: boolean;
  readonly residentBytes: number;
  /** After memory was given back last; null: never. */
  readonly leastBytes: number | null;
}

/** Whether a burst of work is over that left memory behind. */
export function isTimeToGiveBack({ share, wasQuiet, residentBytes, leastBytes }: Look): boolean {
  return share < QUIET_SHARE && wasQuiet && residentBytes - (leastBytes ?? 0) > WORTH_BYTES;
}

/**
 * Gives the memory back that a burst of work has left behind: V8 keeps the pages it has emptied, on the reckoning that the next burst will want
 * them, and collects nothing while nothing is allocated. Returns how to end it.
 */
export function giveMemoryBack(scheduler: Scheduler): () => void {
  const collect = collector();
  let cpu = process.cpuUsage();
  let leastBytes: number | null = null;
  let wasQuiet = false;
  let timer: Timer;
  const look = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    const share = (user + system) / 1_000 / LOOK_MS;
    if (isTimeToGiveBack({ share, wasQuiet, residentBytes: process.memoryUsage.rss(), leastBytes })) {
      collect();
      leastBytes = process.memoryUsage.rss();
    }
    wasQuiet = share < QUIET_SHARE;
    timer = scheduler.after(LOOK_MS, look);
  };
  timer = scheduler.after(LOOK_MS, look);
  return () => timer.cancel();
}

/** The flag has to be set before the function can be had, in a context that is made after it. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as NodeJS.GCFunction; // what the flag puts there
  // Code that is compiled and kept for the next start counts only under the same flags.
  setFlagsFromString('--no-expose-gc');
  return () => void gc({ type: 'major', flavor: 'last-resort', execution: 'sync' });
}
