import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockServerDirectory } from '../../bootstrap/server-lock.js';
import { hasCode } from '../../errors/has-code.js';
import { keysOfDirectory } from '../../keys/keys-of-directory.js';
import { opensValues } from '../../keys/open-keyring.js';
import { ALL_MIGRATIONS } from '../../migrations/all-migrations.js';
import { sqliteDriver } from '../../persistence/sqlite-connection.js';
import { OperationError } from '../operation-error.js';
import type { OperationContext } from '../operation.js';
import { DATABASE, KEY_FILES } from './backup.js';
import { copyFile, hashFile } from './copy-file.js';
import { STAGING, stagingIn } from './half-restored.js';
import { isInside, MANIFEST, type Manifest, parseManifest } from './manifest.js';
import { quarantineDatabase } from './quarantine-database.js';

export interface RestoreOptions {
  /** A folder that `backup` wrote. */
  readonly from: string;
  /** Also where a database is; it is put aside, not deleted. */
  readonly overwrite: boolean;
}

/**
 * Puts a backup in the place of what a server on SQLite knows. The server may not run. It starts in quarantine: machines that came into being
 * after the backup are unknown to it, and may be at work.
 * @throws {OperationError}
 */
export async function restore(context: OperationContext, { from, overwrite }: RestoreOptions): Promise<void> {
  const { settings, world, print } = context;
  const { database, serverDir } = settings;
  if (database.dialect !== 'sqlite')
    throw new OperationError(
      'DSTACK_DATABASE_URL names Postgres, and a backup is of SQLite: restore without it, then dstack server migrate.',
    );
  const manifest = await readManifest(from);
  refuseNewer(manifest);
  const lock = lockServerDirectory(serverDir, world.clock.now());
  try {
    if (existsSync(database.path) && !overwrite)
      throw new OperationError(
        `${database.path} exists. To put the backup in its place: --overwrite (what is there is put aside, not deleted).`,
      );
    const stamp = new Date(world.clock.now()).toISOString().replaceAll(/[:.]/g, '-');
    const staging = join(serverDir, `${STAGING}${stamp}`);
    const leftOver = stagingIn(serverDir);
    try {
      await verifiedCopy(from, manifest, staging);
      quarantineDatabase(join(staging, DATABASE), world.clock.now());
      const aside = join(serverDir, `before-restore-${stamp}`);
      const moved = await putAside(context, manifest, aside);
      await putInPlace(manifest, staging, serverDir, database.path);
      for (const name of leftOver) await rm(join(serverDir, name), { recursive: true, force: true });
      if (moved) print(`What was there is in ${aside}; delete it when all is well.`);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
    print(`Restored the state of ${manifest.createdAt} into ${serverDir}.`);
    print(
      'The next start begins in quarantine: machines that this state does not know are listed and left alone for 24',
    );
    print('hours, or until an administrator has looked: POST /api/server/end_quarantine.');
    print(await aboutKeys(context, database.path));
  } finally {
    lock.release();
  }
}

async function readManifest(from: string): Promise<Manifest> {
  const path = join(from, MANIFEST);
  try {
    return parseManifest(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new OperationError(`${path} does not exist: ${from} is no backup, or one that was not finished.`);
  }
}

function refuseNewer({ migrations }: Manifest): void {
  const known = new Set(ALL_MIGRATIONS.map((Migration) => new Migration().name));
  const unknown = migrations.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new OperationError(`The backup is of a newer server (${unknown.join(', ')}). Restore it with that version.`);
}

/** Nothing of the directory is touched before the whole backup has proved to be what was backed up. */
async function verifiedCopy(from: string, { files }: Manifest, staging: string): Promise<void> {
  for (const { path, sha256 } of files) {
    if (!isInside(path)) throw new OperationError(`The backup names ${path}, which is outside of it: it is not ours.`);
    let copied: { readonly sha256: string };
    try {
      copied = await copyFile(join(from, path), join(staging, path));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      throw new OperationError(`${join(from, path)} is missing: the backup is damaged. Restore another one.`);
    }
    if (copied.sha256 !== sha256 || (await hashFile(join(staging, path))).sha256 !== sha256)
      throw new OperationError(`${join(from, path)} is not what was backed up: restore another backup.`);
  }
}

/** @returns whether there was anything */
async function putAside({ settings }: OperationContext, manifest: Manifest, aside: string): Promise<boolean> {
  const { database, serverDir } = settings;
  if (database.dialect !== 'sqlite') return false;
  const replaced = KEY_FILES.filter((name) => manifest.files.some(({ path }) => path === name));
  const moves: [string, string][] = [
    [join(serverDir, 'projects'), join(aside, 'projects')],
    ...replaced.map((name): [string, string] => [join(serverDir, name), join(aside, name)]),
    ...['', '-wal', '-shm'].map((end): [string, string] => [`${database.path}${end}`, join(aside, DATABASE + end)]),
  ];
  const there = moves.filter(([path]) => existsSync(path));
  for (const [path, to] of there) {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await moveFile(path, to);
  }
  return there.length > 0;
}

/** The database last: without it there is nothing to start with but what is here. */
async function putInPlace(manifest: Manifest, staging: string, serverDir: string, databasePath: string): Promise<void> {
  await mkdir(dirname(databasePath), { recursive: true, mode: 0o700 });
  const tops = new Set(manifest.files.map(({ path }) => path.split('/')[0] ?? path));
  tops.delete('data');
  for (const top of tops) await rename(join(staging, top), join(serverDir, top));
  await moveFile(join(staging, DATABASE), databasePath);
}

/** The database may lie on another disk than the directory. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error;
    await copyFile(from, to);
    await rm(from);
  }
}

async function aboutKeys({ settings, world }: OperationContext, path: string): Promise<string> {
  const restored = new sqliteDriver(path, { fileMustExist: true });
  const row = restored
    .prepare<[], { installation_id: string; key_check: string | null; key_name: string | null }>(
      'SELECT installation_id, key_check, key_name FROM installation',
    )
    .get();
  restored.close();
  if (row === undefined || row.key_name === null) return 'Its values are plain text: no key is needed.';
  const keyring = await keysOfDirectory(settings, world);
  return opensValues(row, keyring)
    ? `The key "${row.key_name}" is here and opens its values.`
    : `The key "${row.key_name}" is NOT here: before the start put encryption.key into ${settings.serverDir}, or the key into encryption.keys of config.yml.`;
}
