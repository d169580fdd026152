import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { DatabaseReader } from '../database-reader.js';
import { error, type Finding, ok, warning } from './finding.js';

const NOTICE_MS = 3_000;
const CHANNEL = 'dstack_check';

/** Connections of a pool, and whether replicas hear of each other. */
export async function checkPostgres(
  reader: DatabaseReader,
  poolSize: number,
  listenUrl: string | null,
): Promise<Finding[]> {
  const [limits] = await reader.query<{ most: string; version: string }>(
    "SELECT current_setting('max_connections') AS most, current_setting('server_version') AS version",
  );
  const most = Number(limits?.most ?? 0);
  const findings =
    most < poolSize + 5
      ? [
          error(
            'postgres',
            `max_connections is ${most}, and one server takes up to ${poolSize + 2}. Raise it, or lower DSTACK_DB_POOL_SIZE.`,
          ),
        ]
      : [
          ok(
            'postgres',
            `version ${limits?.version}, max_connections ${most}; each server takes up to ${poolSize + 2}`,
          ),
        ];
  if (listenUrl === null)
    return [...findings, ok('notices', 'none between replicas: rows are looked for every second')];
  return [...findings, await checkNotices(listenUrl)];
}

/** A pooler in transaction mode takes LISTEN and delivers nothing. */
async function checkNotices(url: string): Promise<Finding> {
  const [hears, says] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  for (const client of [hears, says]) client.on('error', () => undefined);
  try {
    await Promise.all([hears.connect(), says.connect()]);
    const heard = new Promise<boolean>((resolve) => hears.once('notification', () => resolve(true)));
    await hears.query(`LISTEN ${CHANNEL}`);
    await says.query(`NOTIFY ${CHANNEL}`);
    if (await Promise.race([heard, sleep(NOTICE_MS, false)])) return ok('notices', 'replicas hear of each other');
    return warning(
      'notices',
      'no notice arrived: a pooler in transaction mode is in between. Set DSTACK_DATABASE_LISTEN_URL to Postgres itself, or to none (rows are then looked for every second).',
    );
  } catch (failure) {
    const what = failure instanceof Error ? failure.message : String(failure);
    return error('notices', `${what}. Check DSTACK_DATABASE_LISTEN_URL.`);
  } finally {
    await Promise.allSettled([hears.end(), says.end()]);
  }
}
