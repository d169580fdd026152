import { parseMemory } from './memory.js';
import { parseRange } from './range.js';

/** The size of the disk: a range of sizes in GB. */
export function parseDiskSize(text: string): { min: number | null; max: number | null } {
  return parseRange(text, parseMemory);
}
