import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** The executable a shell would take, or undefined. */
export function findCommand(name: string, path: string | undefined, cwd: string): string | undefined {
  const candidates = name.includes('/')
    ? [name.startsWith('/') ? name : join(cwd, name)]
    : (path ?? '/usr/bin:/bin').split(':').map((dir) => join(dir === '' ? cwd : dir, name));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return statSync(candidate).isFile();
    } catch {
      return false;
    }
  });
}
