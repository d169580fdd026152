import { keysOfDirectory } from '../../keys/keys-of-directory.js';
import { opensValues } from '../../keys/open-keyring.js';
import { ALL_MIGRATIONS } from '../../migrations/all-migrations.js';
import type { DatabaseReader } from '../database-reader.js';
import type { OperationContext } from '../operation.js';
import { error, type Finding, ok, warning } from './finding.js';

interface InstallationRow {
  readonly installation_id: string;
  readonly key_check: string | null;
  readonly key_name: string | null;
  readonly quarantine_until: number | string | null;
}

/** Whether this server could work with what is there. */
export async function checkDatabase(reader: DatabaseReader, context: OperationContext): Promise<Finding[]> {
  const applied = await migrationsOf(reader);
  if (applied === null) return [ok('database', 'empty: the first start makes it')];
  const known = ALL_MIGRATIONS.map((Migration) => new Migration().name);
  const newer = applied.filter((name) => !known.includes(name));
  if (newer.length > 0) return [error('database', `made by a newer server (${newer.join(', ')}). Start that version.`)];
  const missing = known.filter((name) => !applied.includes(name));
  const findings = [
    missing.length === 0
      ? ok('database', `up to date (${applied.length} migrations)`)
      : ok('database', `the next start applies ${missing.length} migrations: back it up before`),
  ];
  // Columns of it came with migrations.
  const [row] = await reader.query<InstallationRow>('SELECT * FROM installation');
  if (row === undefined) return findings;
  return [...findings, await checkKeys(row, context), ...checkQuarantine(row, context.world.clock.now())];
}

async function migrationsOf(reader: DatabaseReader): Promise<string[] | null> {
  try {
    return (await reader.query<{ name: string }>('SELECT name FROM migrations')).map(({ name }) => name);
  } catch {
    return null; // no such table
  }
}

async function checkKeys(row: InstallationRow, { settings, world }: OperationContext): Promise<Finding> {
  const keyring = await keysOfDirectory(settings, world);
  if (row.key_name === null)
    return warning(
      'keys',
      'secrets, tokens and keys are plain text in the database. Add encryption.keys to config.yml (secret: openssl rand -base64 32).',
    );
  return opensValues(row, keyring)
    ? ok('keys', `values are encrypted with "${row.key_name}", which is here`)
    : error(
        'keys',
        `values are encrypted with "${row.key_name}", which is not here${keyring.names.includes(row.key_name) ? ' (the one of that name opens nothing)' : ''}: the server will not start. Restore it.`,
      );
}

function checkQuarantine({ quarantine_until: until }: InstallationRow, now: number): Finding[] {
  if (until === null || Number(until) <= now) return [];
  const text = `machines that the database does not know are left alone until ${new Date(Number(until)).toISOString()}. Look at them, then POST /api/server/end_quarantine.`;
  return [warning('quarantine', text)];
}
