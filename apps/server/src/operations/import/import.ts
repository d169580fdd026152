import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BackendRegistry } from '../../backends/backend-registry.js';
import { BackendStore } from '../../backends/backend-store.js';
import { lockServerDirectory } from '../../bootstrap/server-lock.js';
import { parseConfigFile } from '../../config-file/parse-config-file.js';
import { loadConfigFile } from '../../config-file/load-config-file.js';
import { Keyring } from '../../keys/keyring.js';
import { openKeyring } from '../../keys/open-keyring.js';
import { ALL_MIGRATIONS } from '../../migrations/all-migrations.js';
import type { Database } from '../../persistence/database.js';
import { type DatabaseLocation, parseDatabaseUrl } from '../../persistence/database-url.js';
import { migrate } from '../../persistence/migrate.js';
import { openDatabase } from '../../persistence/open-database.js';
import { openReader } from '../database-reader.js';
import { aboutNamedDatabase } from '../about-named-database.js';
import { OperationError } from '../operation-error.js';
import type { OperationContext } from '../operation.js';
import { bring, type Brought } from './bring.js';
import { type PythonState, readPythonState } from './python-state.js';

export interface ImportOptions {
  /** A SQLite file or `postgresql://…` of a dstack 0.21 server, which need not be stopped but should be. */
  readonly from: string;
  /** That server's `config.yml`, for its keys; undefined: beside its SQLite file, else this server's own. */
  readonly config: string | undefined;
  readonly merges: boolean;
  /** Tell what would be brought, and write nothing. */
  readonly isDryRun: boolean;
}

/** Brings users, projects, backends, secrets and keys from a server of dstack 0.21. Again: adds what is missing. @throws {OperationError} */
export async function importPython(context: OperationContext, options: ImportOptions): Promise<void> {
  const { settings, world, print } = context;
  const state = await readSource(context, options).catch((error: unknown) => {
    throw aboutNamedDatabase(error, '--from', 'nothing was brought yet');
  });
  const lock =
    settings.database.dialect === 'sqlite' ? lockServerDirectory(settings.serverDir, world.clock.now()) : null;
  try {
    const brought = await withTarget(context, options.isDryRun, (db, keyring) =>
      write(db, state, { context, keyring, options }),
    );
    print(options.isDryRun ? 'Would bring (nothing was written):' : 'Brought:');
    const counts = [...brought.counts];
    for (const [kind, count] of counts) print(`  ${count} ${kind.replaceAll('_', ' ')}`);
    if (counts.length === 0) print('  nothing: all of it is here');
    if (brought.notes.length + state.left.length > 0) print('Left or kept:');
    for (const note of [...brought.notes, ...state.left]) print(`  ${note}`);
    if (!options.isDryRun) print('Tokens go on working. Stop the old server before this one starts.');
  } finally {
    lock?.release();
  }
}

async function readSource(context: OperationContext, { from, config }: ImportOptions): Promise<PythonState> {
  const location: DatabaseLocation = from.includes('://')
    ? parseDatabaseUrl(from, '--from')
    : { dialect: 'sqlite', path: from };
  const keyring = await sourceKeys(context, location, config);
  const reader = await openReader(location);
  if (reader === null) throw new OperationError(`${from} does not exist.`);
  try {
    return await readPythonState(reader, keyring);
  } finally {
    await reader.close();
  }
}

async function sourceKeys(
  { settings, world }: OperationContext,
  location: DatabaseLocation,
  given: string | undefined,
): Promise<Keyring> {
  const beside = location.dialect === 'sqlite' ? join(dirname(dirname(location.path)), 'config.yml') : undefined;
  const path = given ?? (beside !== undefined && existsSync(beside) ? beside : undefined);
  if (path === undefined) {
    const { config } = await loadConfigFile(settings, { writesTemplate: false });
    return new Keyring(config.encryptionKeys, world.random);
  }
  if (!existsSync(path)) throw new OperationError(`${path} does not exist.`);
  return new Keyring(parseConfigFile(readFileSync(path, 'utf8'), path).encryptionKeys, world.random);
}

class RolledBack extends Error {
  constructor(readonly brought: Brought) {
    super('nothing was written');
  }
}

interface WriteParts {
  readonly context: OperationContext;
  readonly keyring: Keyring;
  readonly options: ImportOptions;
}

/** All of it or nothing. */
async function write(db: Database, state: PythonState, { context, keyring, options }: WriteParts): Promise<Brought> {
  const { world } = context;
  const parts = {
    keyring,
    world,
    backends: new BackendStore(keyring, world),
    registry: new BackendRegistry(),
    merges: options.merges,
  };
  try {
    return await db.writeDurable(async (tx) => {
      const brought = await bring(tx, state, parts);
      if (options.isDryRun) throw new RolledBack(brought);
      return brought;
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.brought;
    throw error;
  }
}

/** A try on a server that never started makes neither its database nor its key. */
async function withTarget<T>(
  context: OperationContext,
  isDryRun: boolean,
  work: (db: Database, keyring: Keyring) => Promise<T>,
): Promise<T> {
  const { settings, world } = context;
  const scratch =
    isDryRun && !(await isThere(settings.database)) ? mkdtempSync(join(tmpdir(), 'dstack-import-')) : undefined;
  const target = scratch === undefined ? settings.database : ({ dialect: 'sqlite', path: join(scratch, 'a.db') } as const); // prettier-ignore
  const db = await openDatabase(target, { clock: world.clock, poolSize: 2 });
  try {
    if (scratch !== undefined || !isDryRun) await migrate(db, ALL_MIGRATIONS);
    const { config } = await loadConfigFile(settings, { writesTemplate: false });
    const { keyring } = await openKeyring(
      db,
      config.encryptionKeys,
      { ...settings, serverDir: scratch ?? settings.serverDir },
      world,
    );
    return await work(db, keyring);
  } finally {
    await db.close();
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

async function isThere(location: DatabaseLocation): Promise<boolean> {
  const reader = await openReader(location);
  if (reader === null) return false;
  try {
    await reader.query('SELECT installation_id FROM installation');
    return true;
  } catch {
    return false;
  } finally {
    await reader.close();
  }
}
