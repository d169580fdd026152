import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer } from '../../test/support/start-test-server.js';
import type { ServerSettings } from '../settings/settings.js';
import { DatabaseAwayError } from '../persistence/errors.js';
import { describeStartError } from './describe-start-error.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dstack-start-error-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const failure = (settings: Partial<ServerSettings>): Promise<string> =>
  startTestServer({ serverDir: dir, ...settings }).then(
    () => 'it started',
    (error: unknown) => describeStartError(error),
  );

it('a Postgres that is not there is told with the variable to check, without the password', async () => {
  const told = await failure({ database: { dialect: 'postgres', url: 'postgresql://u:hunter2@127.0.0.1:1/x' } });
  expect(told).toMatch(/^connect ECONNREFUSED 127\.0\.0\.1:1\. Check DSTACK_DATABASE_URL/);
  expect(told).not.toContain('hunter2');
});

it('a file where the directory should be', async () => {
  writeFileSync(join(dir, 'file'), '');
  expect(await failure({ serverDir: join(dir, 'file') })).toMatch(/A file is where the server directory should be/);
});

it('a place that takes no directory', async () => {
  expect(await failure({ serverDir: '/proc/dstack/server' })).toBe(
    '/proc takes no directory, so the server has none: start with another DSTACK_SERVER_DIR.',
  );
});

it('a database file that is none', async () => {
  mkdirSync(join(dir, 'data'));
  writeFileSync(join(dir, 'data', 'sqlite.db'), 'x'.repeat(8192));
  expect(await failure({})).toMatch(/^file is not a database\. Restore data\/sqlite\.db/);
});

it('a key file that holds none', async () => {
  writeFileSync(join(dir, 'encryption.key'), 'x');
  expect(await failure({})).toMatch(/encryption\.key does not hold a key\. Restore it/);
});

it.each([
  ['a full disk', Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }), /^no space .*Free some/],
  [
    'a full disk below SQLite, as TypeORM wraps it',
    Object.assign(new Error('SqliteError: database or disk is full'), {
      driverError: Object.assign(new Error('full'), { code: 'SQLITE_FULL' }),
    }),
    /disk is full\. Free some space/,
  ],
  [
    'a Postgres that goes away in the middle',
    Object.assign(new Error('QueryFailedError: Connection terminated unexpectedly'), { driverError: new Error('x') }),
    /terminated unexpectedly\. Postgres went away meanwhile: try again/,
  ],
  [
    'a Postgres that goes away before a transaction',
    new DatabaseAwayError(Object.assign(new Error('the database system is shutting down'), { code: '57P03' })),
    /^the database system is shutting down\. Postgres is starting or stopping/,
  ],
  [
    'an address of another machine',
    Object.assign(new Error('listen'), { code: 'EADDRNOTAVAIL' }),
    /pass another --host/,
  ],
  ['a bug', new TypeError('x is not a function'), /describe-start-error\.spec/],
  ['what is no error', 'text', /^text$/],
])('%s', (_case, error, message) => {
  expect(describeStartError(error)).toMatch(message);
});
