import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCode } from '../errors/has-code.js';

/** There can be no directory of that name. */
export class DirectoryRefusedError extends Error {
  override readonly name = 'DirectoryRefusedError';
  constructor(readonly parent: string) {
    super(`${parent} takes no directory`);
  }
}

/** Step by step: where the system takes no directory at all (`/proc`), Node's own recursion never ends. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, 'EEXIST') && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (!hasCode(error, 'ENOENT') || parent === path) throw error;
    if (existsSync(parent)) throw new DirectoryRefusedError(parent);
    makeDirectory(parent);
    mkdirSync(path, { mode: 0o700 });
  }
}
