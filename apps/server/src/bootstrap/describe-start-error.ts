import { ConfigFileError } from '../config-file/config-file.js';
import { LitestreamError } from '../litestream/litestream-error.js';
import { OperationError } from '../operations/operation-error.js';
import { DatabaseRefusedError } from '../persistence/errors.js';
import { SettingsError } from '../settings/read-settings.js';
import { ServerDirectoryLockedError, ServerDirectoryRefusedError } from './server-lock.js';

const DATABASE_ADVICE = 'Check DSTACK_DATABASE_URL and that Postgres runs and lets this user in.';
const LOST_ADVICE = 'Postgres went away meanwhile: try again when it is back.';
const DIRECTORY_ADVICE =
  'The server writes to its directory: make it writable, or start with another DSTACK_SERVER_DIR.';
const DISK_ADVICE = 'Free some space, or start with a DSTACK_SERVER_DIR on another disk.';
const DAMAGED_ADVICE =
  'Restore data/sqlite.db of the server directory from a backup, or start with another DSTACK_SERVER_DIR.';

/** By the code of the system, of SQLite or of Postgres: what a person does next. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'Stop what listens there, or pass --port.'],
  ['EADDRNOTAVAIL', 'No network interface of this machine has that address: pass another --host.'],
  ['ECONNREFUSED', DATABASE_ADVICE],
  ['ECONNRESET', DATABASE_ADVICE],
  ['ENOTFOUND', DATABASE_ADVICE],
  ['EAI_AGAIN', DATABASE_ADVICE],
  ['ETIMEDOUT', DATABASE_ADVICE],
  ['EHOSTUNREACH', DATABASE_ADVICE],
  ['28P01', DATABASE_ADVICE], // wrong password
  ['28000', DATABASE_ADVICE],
  ['3D000', DATABASE_ADVICE], // no such database
  ['42501', DATABASE_ADVICE], // may not create tables
  ['53300', 'Postgres has no connection left: raise max_connections, or lower DSTACK_DB_POOL_SIZE.'],
  ['57P01', LOST_ADVICE],
  ['57P02', LOST_ADVICE],
  ['57P03', 'Postgres is starting or stopping: try again in a moment.'],
  ['ENOSPC', DISK_ADVICE],
  ['EDQUOT', DISK_ADVICE],
  ['SQLITE_FULL', DISK_ADVICE],
  ['EACCES', DIRECTORY_ADVICE],
  ['EPERM', DIRECTORY_ADVICE],
  ['EROFS', DIRECTORY_ADVICE],
  ['EEXIST', 'A file is where the server directory should be: start with another DSTACK_SERVER_DIR.'],
  ['ENOTDIR', 'A file is where the server directory should be: start with another DSTACK_SERVER_DIR.'],
  ['SQLITE_CANTOPEN', DIRECTORY_ADVICE],
  ['SQLITE_READONLY', DIRECTORY_ADVICE],
  ['SQLITE_READONLY_DIRECTORY', DIRECTORY_ADVICE],
  ['SQLITE_IOERR_WRITE', DISK_ADVICE],
  ['SQLITE_NOTADB', DAMAGED_ADVICE],
  ['SQLITE_CORRUPT', DAMAGED_ADVICE],
]);

/** Errors an operator can act on need their message and the next step; anything else is a bug and shows its stack. */
export function describeStartError(error: unknown): string {
  const expected = [
    ServerDirectoryLockedError,
    ServerDirectoryRefusedError,
    ConfigFileError,
    DatabaseRefusedError,
    LitestreamError,
    OperationError,
    SettingsError,
  ];
  if (expected.some((known) => error instanceof known)) return (error as Error).message;
  if (!isErrorLike(error)) return String(error);
  const known = codesOf(error)
    .map((code) => ADVICE.get(code))
    .find((found) => found !== undefined);
  // Of a connection that broke there is no code.
  const advice = known ?? (/Connection terminated/.test(error.message) ? LOST_ADVICE : undefined);
  return advice === undefined ? (error.stack ?? error.message) : `${error.message}. ${advice}`;
}

interface ErrorLike {
  readonly message: string;
  readonly stack?: string;
  readonly code?: unknown;
  readonly driverError?: unknown;
  readonly cause?: unknown;
}

/** By shape, not by class: errors of Node and of add-ons may come from another realm. */
function isErrorLike(error: unknown): error is ErrorLike {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';
}

/** Of the error, of what caused it and of the driver's error that TypeORM wraps. */
function codesOf(error: ErrorLike): string[] {
  const inner = [error.driverError, error.cause].filter(isErrorLike).filter((each) => each !== error);
  return [...(typeof error.code === 'string' ? [error.code] : []), ...inner.flatMap(codesOf)];
}
