import { lstat } from 'node:fs/promises';
import { posix } from 'node:path';

export class UnsafeArchiveError extends Error {
  override readonly name = 'UnsafeArchiveError';
}

/** The path of an entry below the root, or an error for one that points out of it. */
export function entryPath(name: string): string {
  const normal = posix.normalize(name);
  if (posix.isAbsolute(normal) || normal === '..' || normal.startsWith('../') || normal.includes('\0')) {
    throw new UnsafeArchiveError(`the archive has an entry outside its root: ${shown(name)}`);
  }
  if (normal.split('/').length > DEEPEST)
    throw new UnsafeArchiveError(`the archive has an entry more than ${DEEPEST} levels deep: ${shown(name)}`);
  return normal.replace(/\/+$/, '');
}

/** Deeper than any path a system takes whole; a header of a few kilobytes must not make directories by the thousand. */
const DEEPEST = 64;

/** A symbolic link at `entry` may only point to something below the root: also when names on its way are links themselves. */
export function checkLinkTarget(entry: string, target: string): void {
  const resolved = posix.isAbsolute(target) ? target : posix.normalize(posix.join(posix.dirname(entry), target));
  // Behind a name `..` leads to wherever that name leads, which the text does not tell.
  const climbsBehindName = /(?:^|\/)(?!\.{1,2}(?:\/|$))[^/]+\/+(?:\.\/+)*\.\.(?:\/|$)/.test(target);
  if (climbsBehindName || posix.isAbsolute(resolved) || resolved === '..' || resolved.startsWith('../')) {
    throw new UnsafeArchiveError(`the archive has a link out of its root: ${shown(entry)} -> ${shown(target)}`);
  }
}

/** Nothing is written through a link: every parent of the entry that exists must be a real directory. */
export async function checkParents(root: string, entry: string): Promise<void> {
  const parts = posix.dirname(entry).split('/');
  let path = root;
  for (const part of parts) {
    if (part === '.' || part === '') continue;
    path = posix.join(path, part);
    const stat = await lstat(path).catch(() => undefined);
    if (stat === undefined) return;
    if (!stat.isDirectory()) throw new UnsafeArchiveError(`the archive writes through a link: ${shown(entry)}`);
  }
}

function shown(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
