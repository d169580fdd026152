import { cp } from 'node:fs/promises';
import { dirname } from 'node:path';
import { agentMainPath } from '../self-command.js';

/** Puts this agent's own folder somewhere else: out of its image, into the volume that a job's container mounts. */
export async function copyFolder(directory: string): Promise<number> {
  await cp(dirname(agentMainPath()), directory, { recursive: true });
  return 0;
}
