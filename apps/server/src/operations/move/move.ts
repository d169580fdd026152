import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '@dstack/core';
import { lockServerDirectory } from '../../bootstrap/server-lock.js';
import type { Keyring } from '../../keys/keyring.js';
import { keysOfDirectory } from '../../keys/keys-of-directory.js';
import { opensValues } from '../../keys/open-keyring.js';
import { FileLogStore } from '../../logs/file-log-store.js';
import { SqlLogStore } from '../../logs/sql-log-store.js';
import { ALL_MIGRATIONS } from '../../migrations/all-migrations.js';
import type { Database } from '../../persistence/database.js';
import { parseDatabaseUrl } from '../../persistence/database-url.js';
import { migrate } from '../../persistence/migrate.js';
import { openDatabase } from '../../persistence/open-database.js';
import { SqliteConnection } from '../../persistence/sqlite-connection.js';
import { OperationError } from '../operation-error.js';
import type { OperationContext } from '../operation.js';
import { type CopyState, beginCopy, endCopy } from './copy-state.js';
import { aboutNamedDatabase } from '../about-named-database.js';
import { copyShippedLogs } from './copy-shipped-logs.js';
import { copyStoredLog, storedLogs, verifyStoredLog } from './copy-stored-logs.js';
import { type Change, checksumOfSource, checksumOfTarget, copyTable } from './copy-table.js';
import { type Table, tablesOf } from './table.js';
import { CHANGED, testCopy } from './test-copy.js';

export interface MoveOptions {
  /** `postgresql://…`, an empty database. */
  readonly to: string;
  /** For tests: another installation, without credentials. */
  readonly isTestCopy: boolean;
}

const PROGRESS_ROWS = 10_000;

interface InstallationRow {
  readonly installation_id: string;
  readonly key_check: string | null;
  readonly key_name: string | null;
}

interface Move {
  readonly context: OperationContext;
  readonly source: SqliteConnection;
  readonly target: Database;
  readonly tables: readonly Table[];
  readonly change: Change;
  readonly isTestCopy: boolean;
}

/**
 * Copies all that a server on SQLite knows into an empty Postgres database: rows, uploads and logs. The server may not run. Goes on where an
 * interrupted one stopped; servers refuse to start on the target before every row and log has been compared.
 * @throws {OperationError}
 */
export async function move(context: OperationContext, { to, isTestCopy }: MoveOptions): Promise<void> {
  const { settings, world } = context;
  const location = parseDatabaseUrl(to, '--to');
  if (location.dialect !== 'postgres')
    throw new OperationError('--to must be postgresql://user:password@host/database, an empty database.');
  if (settings.database.dialect !== 'sqlite')
    throw new OperationError('DSTACK_DATABASE_URL names Postgres already: unset it to copy from the SQLite database.');
  if (!existsSync(settings.database.path))
    throw new OperationError(`${settings.database.path} does not exist: no server has worked here.`);
  const lock = lockServerDirectory(settings.serverDir, world.clock.now());
  try {
    const source = SqliteConnection.open(settings.database.path);
    try {
      const target = await openDatabase(location, { clock: world.clock, poolSize: 2 });
      try {
        await copyAll(context, source, target, isTestCopy);
      } finally {
        await target.close();
      }
    } catch (error) {
      throw aboutNamedDatabase(error, '--to', 'called again, the command goes on where it stopped');
    } finally {
      source.close();
    }
  } finally {
    lock.release();
  }
}

async function copyAll(
  context: OperationContext,
  source: SqliteConnection,
  target: Database,
  isTestCopy: boolean,
): Promise<void> {
  const { settings, world, print } = context;
  refuseOtherSchema(source);
  const [installation] = source
    .prepare('SELECT installation_id, key_check, key_name FROM installation')
    .all() as InstallationRow[];
  if (installation === undefined) throw new OperationError('The database holds no installation yet: nothing to copy.');
  const keyring = await keysOf(context, installation);
  const { state, resumes } = await beginCopy(target, {
    source: installation.installation_id,
    sourceState: stateOf(source, settings.serverDir),
    isTestCopy,
    installationId: isTestCopy ? world.ids.uuid() : installation.installation_id,
  } satisfies CopyState);
  if (resumes) print('Going on where the last copy stopped.');
  await migrate(target, ALL_MIGRATIONS, { intoCopy: true });
  const now = world.clock.now();
  const change: Change = isTestCopy ? testCopy(state.installationId, keyring, now) : (_table, row) => row;
  const parts: Move = { context, source, target, tables: tablesOf(source), change, isTestCopy };
  for (const table of parts.tables) await copyTable({ ...parts, table, progress: printer(table.name, print) });
  const shipped = await copyShippedLogs(source, target, change);
  const logs = await copyLogs(parts);
  const rows = await verifyTables(parts);
  await target.writeDurable(async (tx) => {
    if (!isTestCopy) await tx.execute('UPDATE installation SET quarantine_until = ?', [now + LIMITS.quarantineMs]);
    await endCopy(tx);
  });
  print(
    `Copied and compared: ${rows} rows of ${parts.tables.length} tables, ${logs.count} logs of ${logs.bytes} bytes${shipped === 0 ? '' : `, and ${shipped} that a service keeps`}.`,
  );
  for (const line of nextSteps(context, installation, state, isTestCopy)) print(line);
}

/** Columns are copied by name, so both sides must have the same ones. */
function refuseOtherSchema(source: SqliteConnection): void {
  const known = ALL_MIGRATIONS.map((Migration) => new Migration().name);
  const applied = (source.prepare('SELECT name FROM migrations').all() as { name: string }[]).map(({ name }) => name);
  const missing = known.filter((name) => !applied.includes(name));
  const unknown = applied.filter((name) => !known.includes(name));
  if (missing.length > 0)
    throw new OperationError(
      'The SQLite database is of an older server: start this version on it once, stop it, and copy then.',
    );
  if (unknown.length > 0)
    throw new OperationError(
      `The SQLite database is of a newer server (${unknown.join(', ')}): copy it with that version.`,
    );
}

async function keysOf({ settings, world }: OperationContext, installation: InstallationRow): Promise<Keyring> {
  const keyring = await keysOfDirectory(settings, world);
  if (opensValues(installation, keyring)) return keyring;
  throw new OperationError(
    `The values of this database are encrypted with the key "${installation.key_name}", which is not here. Restore it first: a copy would be of no use.`,
  );
}

/** Changes with every server that started on the database. */
function stateOf(source: SqliteConnection, serverDir: string): string {
  const life = join(serverDir, 'server.life.json');
  const hash = createHash('sha256').update(existsSync(life) ? readFileSync(life) : '');
  const rows = source.prepare('SELECT last_alive_at FROM installation').all();
  const events = source.prepare('SELECT count(*) AS count, max(recorded_at) AS latest FROM events').all();
  return hash.update(JSON.stringify([rows, events])).digest('hex');
}

async function copyLogs({
  context,
  source,
  target,
}: Move): Promise<{ readonly count: number; readonly bytes: number }> {
  const { settings, world, print } = context;
  const stores = {
    source: new FileLogStore(settings.serverDir),
    target: new SqlLogStore(target, world.scheduler),
  };
  const keys = storedLogs(source, settings.serverDir);
  let bytes = 0;
  for (const [index, key] of keys.entries()) {
    await copyStoredLog({ ...stores, key });
    bytes += await verifyStoredLog({ ...stores, key });
    if ((index + 1) % 100 === 0) print(`logs: ${index + 1} of ${keys.length}`);
  }
  await stores.source.close();
  return { count: keys.length, bytes };
}

/** @returns the number of rows */
async function verifyTables({ context, source, target, tables, change, isTestCopy }: Move): Promise<number> {
  let rows = 0;
  for (const table of tables) {
    const changed = isTestCopy ? (CHANGED[table.name] ?? []) : [];
    // What is made anew for a copy is another one each time it is asked for.
    const columns = table.columns.filter((column) => !changed.includes(column));
    const [from, to] = [
      checksumOfSource({ source, table, change }, columns),
      await checksumOfTarget(target, table, columns),
    ];
    if (from.text !== to.text)
      throw new OperationError(
        `${table.name} differs: ${from.text} became ${to.text}. Create a new target database and begin again; the SQLite database is as it was.`,
      );
    rows += to.count;
    context.print(`${table.name}: ${to.count} rows, the same on both sides`);
  }
  return rows;
}

function printer(table: string, print: (line: string) => void): (copied: number, total: number) => void {
  let told = 0;
  return (copied, total) => {
    if (copied - told < PROGRESS_ROWS) return;
    told = copied;
    print(`${table}: ${copied} of ${total} rows`);
  };
}

function nextSteps(
  { settings }: OperationContext,
  { key_name: keyName }: InstallationRow,
  state: CopyState,
  isTestCopy: boolean,
): string[] {
  const keys =
    keyName === null
      ? []
      : keyName === 'generated'
        ? [
            'Every server on this database needs the key. Put it into config.yml of each:',
            `  encryption: {keys: [{type: aes, name: generated, secret: <content of ${join(settings.serverDir, 'encryption.key')}>}]}`,
          ]
        : [`Every server on this database needs the key "${keyName}" in encryption.keys of its config.yml.`];
  return isTestCopy
    ? [
        `It is a copy for tests, installation ${state.installationId}: other tokens and keys, no credentials, and nothing in it runs.`,
        ...keys,
      ]
    : [
        'Start servers with DSTACK_DATABASE_URL naming this database. The SQLite database stays as it was: never start a server on it again.',
        'They begin in quarantine: machines that the database does not know are left alone for 24 hours.',
        ...keys,
      ];
}
