import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

const TMPFS = 0x01021994;
/** As nginx names what it keeps; what it is still writing has a longer name. */
const KEPT = /^[0-9a-f]{32}$/;

/**
 * Where nginx keeps for seconds who may ask. Its files have the header that was shown in them, so they are in memory only and nobody else's: null
 * where the machine has no such place.
 */
export async function keptAnswersPlace(dir: string): Promise<string | null> {
  for (const root of ['/run', '/dev/shm']) {
    const path = placeBelow(root, dir);
    if (await isSafe(root, path).catch(() => false)) return path;
  }
  return null;
}

/** Each is asked about anew. */
export async function forgetAnswers(place: string): Promise<void> {
  const directory = keptAnswersDirectory(place);
  const names = await readdir(directory).catch(() => []);
  await Promise.all(names.filter((name) => KEPT.test(name)).map((name) => rm(join(directory, name), { force: true })));
}

export async function removeAnswers(dir: string): Promise<void> {
  for (const root of ['/run', '/dev/shm']) await rm(placeBelow(root, dir), { recursive: true, force: true });
}

/** nginx makes it, and gives it to its workers. */
export function keptAnswersDirectory(place: string): string {
  return join(place, 'access');
}

function placeBelow(root: string, dir: string): string {
  return join(root, `dstack-gateway-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`);
}

/** Others may write to the root too, and may have been there first. */
async function isSafe(root: string, path: string): Promise<boolean> {
  if ((await statfs(root)).type !== TMPFS) return false;
  await mkdir(path, { mode: 0o711 }).catch(() => undefined);
  const { mode, uid, isDirectory } = await stateOf(path);
  return isDirectory && uid === process.getuid?.() && (mode & 0o022) === 0;
}

async function stateOf(path: string) {
  const found = await lstat(path);
  return { mode: found.mode, uid: found.uid, isDirectory: found.isDirectory() };
}
