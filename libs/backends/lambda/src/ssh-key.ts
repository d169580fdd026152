import { createHash } from 'node:crypto';

/** Type and blob: the comment of a key may differ. */
export function keyBlob(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(' ');
}

/** The same key has the same name everywhere. */
export function keyName(line: string): string {
  return `dstack-${createHash('sha256').update(keyBlob(line)).digest('hex').slice(0, 16)}`;
}
