import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { API_VERSION } from '../../http/client-version.js';
import { VARIABLE_GROUPS } from '../../settings/variable-groups.js';
import type { Variable } from '../../settings/variable.js';
import { hasCode } from '../../errors/has-code.js';
import { messageOf } from '../../errors/message-of.js';
import { OperationError } from '../operation-error.js';
import { findings } from '../check/check.js';
import { type DatabaseReader, openReader } from '../database-reader.js';
import type { OperationContext } from '../operation.js';
import { redactConfig } from './redact-config.js';

const EVENTS = 200;

const COUNTS: Readonly<Record<string, string>> = {
  users: 'SELECT global_role, deleted, count(*) AS count FROM users GROUP BY global_role, deleted',
  projects: 'SELECT deleted, count(*) AS count FROM projects GROUP BY deleted',
  backends: 'SELECT type, count(*) AS count FROM backends GROUP BY type',
  runs: 'SELECT status, deleted, count(*) AS count FROM runs GROUP BY status, deleted',
  jobs: 'SELECT status, termination_reason, count(*) AS count FROM jobs GROUP BY status, termination_reason',
  instances:
    'SELECT backend_type, status, deleted, count(*) AS count FROM instances GROUP BY backend_type, status, deleted',
  fleets: 'SELECT status, deleted, count(*) AS count FROM fleets GROUP BY status, deleted',
  volumes:
    'SELECT backend_type, status, deleted, count(*) AS count FROM volumes GROUP BY backend_type, status, deleted',
  attempts:
    'SELECT backend_type, outcome, failure_kind, count(*) AS count FROM provisioning_attempts GROUP BY backend_type, outcome, failure_kind',
  waiting:
    'SELECT status, count(*) AS count, min(next_due_at) AS oldest_due_at FROM jobs WHERE next_due_at IS NOT NULL GROUP BY status',
};

/**
 * Writes what helps somebody else to understand this server into one JSON file: versions, settings, findings, counts, the last events. No secret
 * is in it, and no specification of a run; names of runs and users stand in events.
 */
export async function supportBundle(context: OperationContext, warnings: readonly string[], to: string): Promise<void> {
  const { settings, world, print } = context;
  const configPath = join(settings.serverDir, 'config.yml');
  const bundle = {
    madeAt: new Date(world.clock.now()).toISOString(),
    apiVersion: API_VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    memory: process.memoryUsage(),
    environment: openEnvironment(process.env),
    findings: await findings(context, warnings),
    config: existsSync(configPath) ? redactConfig(readFileSync(configPath, 'utf8')) : null,
    database: await aboutDatabase(context),
  };
  try {
    await writeFile(to, `${JSON.stringify(bundle, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw new OperationError(`${to} is there already. Name another file.`);
    throw new OperationError(`${to} cannot be written (${messageOf(error)}). Name a file where this user may write.`);
  }
  print(`${to}: read it before you pass it on. Secrets are left out; names of runs and users are in its events.`);
}

/** The server's own variables; of those that are secrets only that they are set. Pure. */
export function openEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const known = Object.values(VARIABLE_GROUPS).flatMap((group): [string, Variable][] => Object.entries(group));
  const secrets = new Map(known.map(([name, variable]) => [name, variable.secret === true]));
  return Object.fromEntries(
    Object.entries(env)
      .filter(([name]) => secrets.has(name) || name.startsWith('DSTACK_'))
      // What is not known may be anything.
      .map(([name, value]) => [name, (secrets.get(name) ?? true) ? '(set)' : (value ?? '')]),
  );
}

async function aboutDatabase({ settings }: OperationContext): Promise<unknown> {
  let reader: DatabaseReader | null;
  try {
    reader = await openReader(settings.database);
  } catch (error) {
    return { dialect: settings.database.dialect, problem: error instanceof Error ? error.message : String(error) };
  }
  if (reader === null) return null;
  try {
    const counts: Record<string, unknown> = {};
    for (const [name, sql] of Object.entries(COUNTS)) counts[name] = await answer(reader, sql);
    return {
      dialect: settings.database.dialect,
      migrations: await answer(reader, 'SELECT name, applied_at FROM migrations ORDER BY name'),
      leases: await answer(reader, 'SELECT * FROM leases'),
      counts,
      events: await answer(
        reader,
        `SELECT recorded_at, message FROM events ORDER BY recorded_at DESC, id LIMIT ${EVENTS}`,
      ),
    };
  } finally {
    await reader.close();
  }
}

/** A database of another version answers less. */
async function answer(reader: DatabaseReader, sql: string): Promise<unknown> {
  try {
    return await reader.query(sql);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
