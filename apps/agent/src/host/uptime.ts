import { readFile } from 'node:fs/promises';
import type { Uptime } from './lost-server.js';

/** Goes on while the machine sleeps, and does not know what time it is. */
export async function readUptime(): Promise<Uptime> {
  const [uptime, bootId] = await Promise.all([
    readFile('/proc/uptime', 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
  ]);
  return { seconds: Number(uptime.split(' ')[0]), bootId: bootId.trim() };
}
