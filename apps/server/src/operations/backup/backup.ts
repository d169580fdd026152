import { existsSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../bootstrap/make-directory.js';
import { hasCode } from '../../errors/has-code.js';
import { messageOf } from '../../errors/message-of.js';
import type { DatabaseLocation } from '../../persistence/database-url.js';
import { OperationError } from '../operation-error.js';
import type { OperationContext } from '../operation.js';
import { copyDatabase } from './copy-database.js';
import { copyFile, hashFile } from './copy-file.js';
import { copyLogs } from './copy-logs.js';
import { type BackedUpFile, MANIFEST, type Manifest } from './manifest.js';

export interface BackupOptions {
  /** A folder that does not exist or is empty. */
  readonly to: string;
  /** Also `config.yml` and `encryption.key`. */
  readonly withKeys: boolean;
}

/** The database inside a backup. */
export const DATABASE = 'data/sqlite.db';

/** Files of the server directory that open what is encrypted. */
export const KEY_FILES = ['config.yml', 'encryption.key'] as const;

/**
 * Copies what a server on SQLite knows, also while it runs: its database as of one moment (uploaded code and files are in it), and the logs up to
 * a moment soon after it. Runs deleted between the two come back without logs.
 * @throws {OperationError}
 */
export async function backup(context: OperationContext, options: BackupOptions): Promise<Manifest> {
  const { to } = options;
  pathOf(context.settings.database);
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new OperationError(`${to} is not empty. Name a folder that is not there yet.`);
  makeTarget(to);
  try {
    return await fill(context, options);
  } catch (error) {
    await rm(to, { recursive: true, force: true }); // nothing was in it before
    throw aboutFullDisk(error, to);
  }
}

function makeTarget(to: string): void {
  try {
    makeDirectory(join(to, 'data'));
  } catch (error) {
    throw new OperationError(`${to} cannot be made (${messageOf(error)}). Name a folder that this user may write.`);
  }
}

function aboutFullDisk(error: unknown, to: string): unknown {
  const isFull = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].some((code) => hasCode(error, code));
  return isFull
    ? new OperationError(
        `The disk of ${to} is full, and nothing is left there. Free some space, or name another folder.`,
      )
    : error;
}

async function fill({ settings, world, print }: OperationContext, { to, withKeys }: BackupOptions): Promise<Manifest> {
  const createdAt = new Date(world.clock.now()).toISOString();
  const progress = progressPrinter(print);
  const database = await copyDatabase(pathOf(settings.database), join(to, DATABASE), progress);
  const files: BackedUpFile[] = [{ path: DATABASE, ...(await hashFile(join(to, DATABASE))) }];
  files.push(...(await copyLogs(settings.serverDir, to)));
  if (withKeys) files.push(...(await copyKeys(settings.serverDir, to)));
  const manifest: Manifest = {
    format: 1,
    createdAt,
    installationId: database.installationId,
    keyName: database.keyName,
    withKeys,
    migrations: [...database.migrations],
    files,
  };
  await writeFile(join(to, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  print(`${to}: ${files.length} files, ${(bytes / 1024 ** 2).toFixed(1)} MiB, state of ${createdAt}`);
  for (const line of aboutKeys(manifest, settings.serverDir)) print(line);
  return manifest;
}

function pathOf(database: DatabaseLocation): string {
  if (database.dialect === 'sqlite') return database.path;
  throw new OperationError(
    'This server keeps its state in Postgres, logs and uploads included: back it up with pg_dump, and config.yml apart from it.',
  );
}

async function copyKeys(serverDir: string, to: string): Promise<BackedUpFile[]> {
  const files: BackedUpFile[] = [];
  for (const name of KEY_FILES) {
    try {
      files.push({ path: name, ...(await copyFile(join(serverDir, name), join(to, name))) });
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error; // a server needs neither
    }
  }
  return files;
}

/** Whoever has a backup must know whether it opens by itself. */
function aboutKeys({ keyName, withKeys }: Manifest, serverDir: string): string[] {
  if (keyName === null)
    return [
      'Secrets, tokens and keys are plain text in this server’s database, and so in the backup: guard it like them.',
    ];
  if (withKeys)
    return [
      `The key "${keyName}" travels with it: who has this backup can read every secret in it. Guard it like them.`,
    ];
  return [
    `Encrypted values need the key "${keyName}", which does not travel with it: keep ${serverDir}/encryption.key and config.yml somewhere else, or back up with --with-keys.`,
  ];
}

function progressPrinter(print: (line: string) => void): (copied: number, total: number) => void {
  let told = 0;
  return (copied, total) => {
    const tenth = Math.floor((copied / Math.max(1, total)) * 10);
    if (tenth <= told || tenth >= 10) return;
    told = tenth;
    print(`database: ${tenth * 10} %`);
  };
}
