import { startTicks } from '../process/own-pid.js';

/** A process, told from a stranger that gets its number later. Part of file names. */
export async function tunnelOwner(pid: number): Promise<string> {
  return `${pid.toString(36)}-${await startTicks(pid)}`;
}

export async function isOwnerAlive(owner: string): Promise<boolean> {
  const pid = Number.parseInt(owner, 36);
  return Number.isInteger(pid) && pid > 0 && (await tunnelOwner(pid)) === owner;
}
