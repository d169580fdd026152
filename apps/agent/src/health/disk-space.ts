import { type Incident, warning } from './incident.js';

const GIB = 1024 ** 3;

/** Nearly full: a twentieth is left, though never more than 20 GiB are wanted, and never less than one. */
export function judgeDisk(path: string, freeBytes: number, totalBytes: number): Incident[] {
  const wanted = Math.max(GIB, Math.min(totalBytes / 20, 20 * GIB));
  if (totalBytes === 0 || freeBytes >= wanted) return [];
  return [warning(`the disk of ${path} is nearly full: ${gib(freeBytes)} of ${gib(totalBytes)} are free`)];
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
