import { statSync } from 'node:fs';

/** The job may have removed its working directory: a person must still get in. */
export function sessionDir(...wanted: readonly string[]): string {
  return wanted.find((dir) => statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true) ?? '/';
}
