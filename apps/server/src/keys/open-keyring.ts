import type { Database } from '../persistence/database.js';
import { DatabaseRefusedError } from '../persistence/errors.js';
import type { ServerSettings } from '../settings/settings.js';
import type { World } from '../world/world.js';
import { readGeneratedKey, writeGeneratedKey } from './generated-key.js';
import { Keyring, type Key } from './keyring.js';

export interface OpenedKeyring {
  readonly keyring: Keyring;
  readonly installationId: string;
  /** For the log: where the key comes from. */
  readonly source: string;
  readonly warnings: readonly string[];
}

interface InstallationRow {
  installation_id: string;
  key_check: string | null;
  key_name: string | null;
}

const checkText = (installationId: string): string => `dstack-key-check:${installationId}`;

/**
 * Finds the keys and proves that they open what the database holds, before anything else touches it. A key is made only
 * where losing it cannot orphan a copy: a fresh SQLite database whose directory is the only place of the state.
 */
export async function openKeyring(
  db: Database,
  configured: readonly Key[],
  settings: Pick<ServerSettings, 'serverDir' | 'databaseIsReplicated'>,
  world: World,
): Promise<OpenedKeyring> {
  return db.writeDurable(async (tx) => {
    // Two replicas starting on an empty database must agree on one installation.
    if (tx.dialect === 'postgres') await tx.query('LOCK TABLE installation IN EXCLUSIVE MODE');
    const [row] = await tx.query<InstallationRow>('SELECT installation_id, key_check, key_name FROM installation');
    const { keys, source, warnings } = chooseKeys(row, configured, { dialect: tx.dialect, settings, world });
    const keyring = new Keyring(keys, world.random);
    const installationId = row?.installation_id ?? world.ids.uuid();
    refuseWrongKeys(row, keyring);
    const check = sealKeyCheck(keyring, installationId);
    const keyName = keyring.primary.type === 'aes' ? keyring.primary.name : null;
    if (row === undefined)
      await tx.execute(
        'INSERT INTO installation (installation_id, created_at, key_check, key_name) VALUES (?, ?, ?, ?)',
        [installationId, world.clock.now(), check, keyName],
      );
    else if (row.key_name !== keyName)
      await tx.execute('UPDATE installation SET key_check = ?, key_name = ?', [check, keyName]);
    return { keyring, installationId, source, warnings };
  });
}

interface KeyCircumstances {
  readonly dialect: 'sqlite' | 'postgres';
  readonly settings: Pick<ServerSettings, 'serverDir' | 'databaseIsReplicated'>;
  readonly world: World;
}

function chooseKeys(
  row: InstallationRow | undefined,
  configured: readonly Key[],
  { dialect, settings, world }: KeyCircumstances,
): { keys: readonly Key[]; source: string; warnings: readonly string[] } {
  const generated = readGeneratedKey(settings.serverDir);
  const older = generated === undefined ? [] : [generated];
  if (configured.length > 0)
    return { keys: [...configured, ...older], source: 'encryption.keys of config.yml', warnings: [] };
  if (generated !== undefined) return { keys: older, source: `${settings.serverDir}/encryption.key`, warnings: [] };
  const onlyCopy = dialect === 'sqlite' && !settings.databaseIsReplicated;
  if (row === undefined && onlyCopy) {
    const key = writeGeneratedKey(settings.serverDir, world.random);
    return {
      keys: [key],
      source: `${settings.serverDir}/encryption.key, made now: back it up with the database`,
      warnings: [],
    };
  }
  const warning =
    'Secrets, tokens and keys are stored as plain text. Add to config.yml: encryption: {keys: [{type: aes, name: key1, secret: <output of: openssl rand -base64 32>}]}';
  return { keys: [], source: 'none', warnings: [warning] };
}

/** Whether the keys are those that the values of this database were encrypted with. */
export function opensValues(row: Pick<InstallationRow, 'installation_id' | 'key_check'>, keyring: Keyring): boolean {
  return row.key_check === null || keyring.tryDecrypt(row.key_check) === checkText(row.installation_id);
}

/** What proves the keys of an installation. */
export function sealKeyCheck(keyring: Keyring, installationId: string): string {
  return keyring.encrypt(checkText(installationId));
}

function refuseWrongKeys(row: InstallationRow | undefined, keyring: Keyring): void {
  if (row === undefined || opensValues(row, keyring)) return;
  const isAnother = keyring.names.includes(row.key_name ?? '') ? ': the one of that name opens nothing' : '';
  throw new DatabaseRefusedError(
    `The values in this database are encrypted with the key "${row.key_name ?? 'unknown'}", which is not here${isAnother}. ` +
      'Put it into encryption.keys of config.yml (or restore encryption.key into the server directory) and start again.',
  );
}
