import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockServerDirectory, type ServerLock } from '../../bootstrap/server-lock.js';
import { loadConfigFile } from '../../config-file/load-config-file.js';
import { GENERATED_KEY_NAME } from '../../keys/generated-key.js';
import type { Keyring } from '../../keys/keyring.js';
import { keysOfDirectory } from '../../keys/keys-of-directory.js';
import { opensValues, sealKeyCheck } from '../../keys/open-keyring.js';
import type { Database } from '../../persistence/database.js';
import { openDatabase } from '../../persistence/open-database.js';
import { sqliteDriver } from '../../persistence/sqlite-connection.js';
import { SettingsError } from '../../settings/read-settings.js';
import { OperationError } from '../operation-error.js';
import type { OperationContext } from '../operation.js';
import { hasKey, type KeyPlace, withFirstKey, withKey, withoutKey } from './config-keys.js';
import { countValues, type KeyUse, type Progress, reencryptValues } from './stored-values.js';

interface InstallationRow {
  readonly installation_id: string;
  readonly key_check: string | null;
  readonly key_name: string | null;
}

/** The keys that a server's values are encrypted with. @throws {OperationError} */
export async function keys(context: OperationContext, action: string, name: string | undefined): Promise<void> {
  switch (action) {
    case 'list':
      return list(context);
    case 'add':
      return put(context, given(action, name), 'last');
    case 'rotate':
      return put(context, given(action, name), 'first');
    case 're-encrypt':
      return reencrypt(context);
    case 'retire':
      return retire(context, given(action, name));
    default:
      throw new SettingsError(
        `There is no dstack server keys ${action}. There are: list, add NAME, rotate NAME, re-encrypt, retire NAME.`,
      );
  }
}

function given(action: string, name: string | undefined): string {
  if (name === undefined)
    throw new SettingsError(`Name the key, in letters and digits: dstack server keys ${action} key2`);
  if (/^[a-zA-Z0-9]+$/.test(name)) return name;
  throw new SettingsError(`The name of a key has letters and digits only, not "${name}".`);
}

async function list({ settings, world, print }: OperationContext): Promise<void> {
  const keyring = await keysOfDirectory(settings, world);
  const { opened, unopened } = await withDatabase({ settings, world }, (db) => countValues(db, keyring));
  for (const [index, name] of keyring.names.entries()) {
    const values = opened.get(name) ?? 0;
    if (name === 'identity' && values === 0 && index > 0) continue;
    const what = name === 'identity' ? 'plain text' : `key "${name}"`;
    print(`${what}: ${values} values${index === 0 ? ', encrypts new ones' : ''}`);
  }
  for (const [name, values] of unopened) print(`key "${name}": ${values} values, and it is NOT here`);
  const older = sum([...opened].filter(([name]) => name !== keyring.primaryName));
  if (older > 0 && keyring.encrypts)
    print(`${older} values are not encrypted with "${keyring.primaryName}" yet: dstack server keys re-encrypt`);
  if (!keyring.encrypts) print('Nothing is encrypted. Make a key: dstack server keys rotate key1');
}

/** Last: servers can read with it, so that all of them can be given it before the first one writes with it. */
async function put({ settings, world, print }: OperationContext, name: string, place: KeyPlace): Promise<void> {
  const path = await configPath(settings);
  const keyring = await keysOfDirectory(settings, world);
  const text = await readFile(path, 'utf8');
  if (!keyring.names.includes(name)) {
    const secret = Buffer.from(world.random.bytes(32)).toString('base64');
    // Where nothing was encrypted, a key that stands last is the first one nevertheless.
    await replaceFile(path, withKey(text, { name, secret }, place));
    print(`Made key "${name}" in ${path}. Back this file up: without it nobody opens the values.`);
  } else if (place === 'last') throw new OperationError(`There is a key "${name}" already: dstack server keys list`);
  else if (name === keyring.primaryName) throw new OperationError(`"${name}" is the first key already.`);
  else if (name === GENERATED_KEY_NAME)
    throw new OperationError(`"${name}" lies in encryption.key and comes after those of config.yml. Name another key.`);
  else await replaceFile(path, withFirstKey(text, name));
  if (place === 'last')
    print(`Servers read with it once they are restarted. When all are: dstack server keys rotate ${name}`);
  else {
    print(`Servers encrypt with "${name}" once they are restarted (each replica needs the same config.yml).`);
    print('Then encrypt what is stored: dstack server keys re-encrypt');
  }
}

async function reencrypt(context: OperationContext): Promise<void> {
  const { settings, world, print } = context;
  const keyring = await keysOfDirectory(settings, world);
  if (!keyring.encrypts) throw new OperationError('There is no key to encrypt with: dstack server keys rotate key1');
  const lock = lockWhereAlone(context);
  try {
    const { rows, before, after } = await withDatabase(context, async (db) => {
      await refuseOtherServers(db, keyring);
      const old = await countValues(db, keyring);
      const written = await reencryptValues(db, keyring, printer(print));
      await db.writeDurable(async (tx) => {
        const [installation] = await tx.query<InstallationRow>('SELECT installation_id FROM installation');
        if (installation === undefined) return;
        const check = sealKeyCheck(keyring, installation.installation_id);
        await tx.execute('UPDATE installation SET key_check = ?, key_name = ?', [check, keyring.primaryName]);
      });
      return { rows: written, before: old, after: await countValues(db, keyring) };
    });
    if (settings.database.dialect === 'sqlite' && (before.opened.get('identity') ?? 0) > 0)
      rewriteFile(settings.database.path);
    print(`Encrypted ${rows} rows with "${keyring.primaryName}".`);
    tellRest(after, keyring, print);
  } finally {
    lock?.release();
  }
}

async function retire(context: OperationContext, name: string): Promise<void> {
  const { settings, world, print } = context;
  const keyring = await keysOfDirectory(settings, world);
  if (!keyring.names.includes(name)) throw new OperationError(`There is no key "${name}": dstack server keys list`);
  if (name === keyring.primaryName)
    throw new OperationError(`"${name}" encrypts new values. Make another one first: dstack server keys rotate NAME`);
  await withDatabase(context, async (db) => {
    const installation = await installationOf(db);
    if (installation?.key_name === name)
      throw new OperationError(`Servers still encrypt with "${name}". Restart them, then: dstack server keys re-encrypt`); // prettier-ignore
    const needed = (await countValues(db, keyring)).opened.get(name) ?? 0;
    if (needed > 0)
      throw new OperationError(`${needed} values still need "${name}". First: dstack server keys re-encrypt`);
  });
  const folder = join(settings.serverDir, 'retired-keys');
  const kept = join(folder, `${name}-${world.clock.now()}.key`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // After a move to Postgres the generated one stands in config.yml, and may be in its file too.
  const file = join(settings.serverDir, 'encryption.key');
  const isInFile = name === GENERATED_KEY_NAME && existsSync(file);
  if (!isInFile || !settings.configDisabled) {
    const path = await configPath(settings);
    const written = await readFile(path, 'utf8');
    if (!isInFile || hasKey(written, name)) {
      const { text, secret } = withoutKey(written, name);
      await writeFile(kept, `${secret}\n`, { mode: 0o600, flag: 'wx' });
      await replaceFile(path, text);
    }
  }
  if (isInFile) await rename(file, existsSync(kept) ? `${kept}.of-its-file` : kept);
  print(`No value needs "${name}" any more, and servers do without it from their next start on.`);
  print(`Backups made before still need it: it is kept in ${kept}. Delete that with the last of them.`);
}

/** A SQLite database is rewritten as a whole, so no server may use it; servers on Postgres go on. */
function lockWhereAlone({ settings, world }: OperationContext): ServerLock | null {
  if (settings.database.dialect === 'postgres') return null;
  return lockServerDirectory(settings.serverDir, world.clock.now());
}

/** What a server without the first key would read shall not become unreadable to it. */
async function refuseOtherServers(db: Database, keyring: Keyring): Promise<void> {
  const installation = await installationOf(db);
  if (installation === undefined) throw new OperationError('No server has worked with this database: nothing to do.');
  if (!opensValues(installation, keyring))
    throw new OperationError(
      `Values are encrypted with "${installation.key_name}", which is not here. Put it into encryption.keys of config.yml.`,
    );
  if (db.dialect === 'postgres' && installation.key_name !== keyring.primaryName)
    throw new OperationError(
      `No server has been started with "${keyring.primaryName}" as first key. Restart all servers with this config.yml before.`,
    );
}

async function installationOf(db: Database): Promise<InstallationRow | undefined> {
  const rows = await db.read((tx) =>
    tx.query<InstallationRow>('SELECT installation_id, key_check, key_name FROM installation'),
  );
  return rows[0];
}

async function withDatabase<T>(
  { settings, world }: Pick<OperationContext, 'settings' | 'world'>,
  work: (db: Database) => Promise<T>,
): Promise<T> {
  const { database } = settings;
  if (database.dialect === 'sqlite' && !existsSync(database.path))
    throw new OperationError(`${database.path} does not exist: no server has worked here.`);
  // A server or Litestream beside us writes the log of SQLite back.
  const db = await openDatabase(database, { clock: world.clock, poolSize: 2, checkpointsElsewhere: true });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** What was deleted or overwritten is still in free pages and in the log of SQLite. */
function rewriteFile(path: string): void {
  const database = new sqliteDriver(path, { fileMustExist: true });
  try {
    database.exec('VACUUM');
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

async function configPath(settings: OperationContext['settings']): Promise<string> {
  const { path } = await loadConfigFile(settings);
  const file = path ?? join(settings.serverDir, 'config.yml');
  if (!settings.configDisabled && existsSync(file)) return file;
  throw new OperationError('DSTACK_SERVER_CONFIG_DISABLED is set: there is no config.yml to keep keys in.');
}

/** Whole or not at all, readable to the server alone. */
async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  await writeFile(next, text, { mode: 0o600, flush: true });
  await chmod(next, 0o600);
  await rename(next, path);
}

function printer(print: (line: string) => void): (progress: Progress) => void {
  return ({ column: { table, column }, seen, changed }) => {
    if (changed > 0) print(`${table}.${column}: ${seen} rows seen, ${changed} written`);
  };
}

function tellRest({ opened, unopened }: KeyUse, keyring: Keyring, print: (line: string) => void): void {
  const older = sum([...opened].filter(([name]) => name !== keyring.primaryName));
  if (older > 0)
    print(
      `${older} values were written with another key meanwhile: restart the servers that still do, and do this again.`,
    );
  for (const [name, count] of unopened)
    print(`${count} values were encrypted with "${name}", which is not here. They stay as they are.`);
}

const sum = (counts: readonly (readonly [string, number])[]): number =>
  counts.reduce((total, [, count]) => total + count, 0);
