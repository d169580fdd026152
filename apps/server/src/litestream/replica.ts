import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ServerSettings } from '../settings/settings.js';
import { LitestreamError } from './litestream-error.js';

/** Where Litestream copies a SQLite database to. */
export interface Replica {
  /** The database. */
  readonly path: string;
  /** `s3://…`, `gs://…`, `abs://…`, a file … as Litestream understands it. */
  readonly url: string;
  /** Litestream. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Undefined where none is asked for, or somebody else runs Litestream.
 * @throws {LitestreamError} where there is no Litestream
 */
export function replicaOf(
  { database, litestream }: Pick<ServerSettings, 'database' | 'litestream'>,
  env: NodeJS.ProcessEnv,
): Replica | undefined {
  if (litestream === undefined || database.dialect !== 'sqlite') return undefined;
  const program = findProgram(litestream.program, env['PATH'] ?? '');
  if (program === undefined)
    throw new LitestreamError(
      `LITESTREAM_REPLICA_URL is set, and the program ${litestream.program} is not there. Install Litestream 0.3.13, name it in ` +
        'DSTACK_SERVER_LITESTREAM (external: you run it yourself), or unset LITESTREAM_REPLICA_URL.',
    );
  return { path: database.path, url: litestream.url, program, env: environmentOf(env) };
}

function findProgram(name: string, path: string): string | undefined {
  const candidates = name.includes('/') ? [name] : path.split(delimiter).map((folder) => join(folder, name));
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Credentials of clouds, proxies and certificates, and none of our own. */
function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('DSTACK_')));
}
