import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Wire } from '@dstack/core';
import { importPython, type ImportOptions } from '../src/operations/import/import.js';
import { sqliteDriver } from '../src/persistence/sqlite-connection.js';
import { readSettings } from '../src/settings/read-settings.js';
import type { ServerSettings } from '../src/settings/settings.js';
import { realWorld } from '../src/world/real-world.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

const KEYS = (byte: number): string =>
  `encryption: {keys: [{type: aes, name: old1, secret: ${Buffer.alloc(32, byte).toString('base64')}}]}\n`;
const base = mkdtempSync(join(tmpdir(), 'dstack-import-'));
const from = join(base, 'python/data/sqlite.db');
const ADMIN = 'admin-token-of-python';
const isFull = process.env['DSTACK_TEST_FULL'] === '1';
afterAll(() => rmSync(base, { recursive: true, force: true }));

beforeAll(() => {
  mkdirSync(join(base, 'python/data'), { recursive: true });
  writeFileSync(join(base, 'python/config.yml'), KEYS(9));
  const database = new sqliteDriver(from);
  database.exec(readFileSync(join(import.meta.dirname, 'fixtures/python-0.21.2.sql'), 'utf8'));
  database.close();
});

async function run(settings: Partial<ServerSettings>, options: Partial<ImportOptions> = {}): Promise<string> {
  const printed: string[] = [];
  const context = {
    settings: readSettings({}, settings).settings,
    world: realWorld(),
    print: (line: string) => void printed.push(line),
  };
  await importPython(context, { from, config: undefined, merges: false, isDryRun: false, ...options });
  return printed.join('\n');
}

const ask = async <T>(server: TestServer, path: string, body: unknown, token = ADMIN): Promise<T> => {
  const reply = await server.post(`/api/${path}`, body, token);
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
  return reply.body as T;
};

const databases = testDatabases().filter(({ name }) => isFull || name === 'SQLite');

describe.each(databases)('an import into a server on $name', ({ empty, name }) => {
  const serverDir = join(base, name);
  const settings: Partial<ServerSettings> = { serverDir, backgroundProcessing: false };
  beforeAll(async () => {
    if (name === 'Postgres') Object.assign(settings, { database: await empty() });
  });

  it('that is tried writes nothing', async () => {
    const told = await run(settings, { isDryRun: true });
    expect(told).toMatch(/^Would bring \(nothing was written\):\n {2}5 users\n {2}2 projects/);
    expect(existsSync(join(serverDir, 'data')) || existsSync(join(serverDir, 'encryption.key'))).toBe(false);
  });

  it('brings people, what they may and what they keep secret', async () => {
    const told = await run(settings);
    for (const line of ['5 users', '2 projects', '3 members', '4 backends', '2 secrets', '1 public keys of users', '1 repos'])
      expect(told).toContain(`  ${line}\n`); // prettier-ignore
    expect(told).toContain('Backend verda of project team is left: there is no such backend here');
    expect(told).toContain('1 deleted users');
    const server = await startTestServer(settings);
    try {
      expect(server.adminToken).toBe(ADMIN);
      const { creds, ...ann } = await ask<Wire.UserWithCreds>(server, 'users/get_user', { username: 'ann' });
      expect(ann).toMatchObject({ email: 'ann@example.org', global_role: 'user', created_at: '2026-11-30T08:56:34.677000Z' }); // prettier-ignore
      expect(ann.ssh_private_key).toContain('user-key-of-ann');
      const team = await ask<Wire.Project>(server, 'projects/team/get', {}, creds.token);
      expect(team).toMatchObject({ is_public: true, owner: { username: 'ann' } });
      expect(team.members.map(({ user, project_role }) => [user.username, project_role])).toEqual([
        ['ann', 'admin'],
        ['bob', 'manager'],
      ]);
      expect(await ask(server, 'project/team/secrets/get', { name: 'key' }, creds.token)).toMatchObject({ value: 'second' }); // prettier-ignore
      expect(await ask(server, 'project/main/backends/aws/config_info', {})).toMatchObject({
        regions: ['eu-west-1'],
        creds: { type: 'access_key', access_key: 'AK', secret_key: 'SK' },
      });
      expect((await server.post('/api/users/get_my_user', {}, tokenOf('off'))).status).toBe(403);
      expect(await ask<unknown[]>(server, 'users/public_keys/list', {}, creds.token)).toHaveLength(1);
    } finally {
      await server.close();
    }
  });

  it('keeps the backends when the server is started again', async () => {
    expect(readFileSync(join(serverDir, 'config.yml'), 'utf8')).toContain('# projects');
    const server = await startTestServer(settings);
    try {
      expect(await ask(server, 'project/main/backends/aws/config_info', {})).toMatchObject({ type: 'aws' });
    } finally {
      await server.close();
    }
  });

  it('that is repeated changes nothing', async () => {
    expect(await run(settings)).toMatch(/^Brought:\n {2}nothing: all of it is here/);
  });
});

/** Nobody knows it: whoever is switched off is refused with any. */
const tokenOf = (name: string): string => `token-of-${name}`;

describe('an import', () => {
  const settings = { serverDir: join(base, 'used'), backgroundProcessing: false };

  it('into a server that somebody works with happens only when asked for, and what is there stays', async () => {
    const server = await startTestServer(settings);
    await ask(server, 'users/create', { username: 'Ann', global_role: 'user' }, server.adminToken);
    const secret = { name: 'hub', value: 'other' };
    await ask(server, 'project/main/secrets/create_or_update', secret, server.adminToken);
    await server.close();
    await expect(run(settings)).rejects.toThrow('This server is not empty (user Ann). Import into an empty one, or');
    const told = await run(settings, { merges: true });
    for (const note of ['User ann is here already', 'User admin is here already', 'Secret hub of project main has another value here'])
      expect(told).toContain(note); // prettier-ignore
    const again = await startTestServer(settings);
    expect(again.adminToken).toBe(server.adminToken);
    await again.close();
  });

  it('needs the keys of that server', async () => {
    const config = join(base, 'wrong.yml');
    writeFileSync(config, KEYS(8));
    await expect(run({ serverDir: join(base, 'none') }, { config })).rejects.toThrow(
      'The token of user admin is encrypted with a key that is not here. Pass the config.yml of that server',
    );
    await expect(run({ serverDir: join(base, 'none') }, { from: join(base, 'no.db') })).rejects.toThrow(
      'does not exist',
    );
    const own = join(settings.serverDir, 'data/sqlite.db');
    await expect(run({ serverDir: join(base, 'none') }, { from: own })).rejects.toThrow(
      'This is no database of dstack 0.21',
    );
  });
});
