import { posix } from 'node:path';

/** Absolute, `~`-relative to the user's home, or relative to `base`. */
export function resolveJobPath(path: string, home: string, base: string): string {
  if (path === '~') return home;
  if (path.startsWith('~/')) return posix.join(home, path.slice(2));
  return posix.resolve(base, path);
}
