import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Wire } from '@dstack/core';
import { sealedValues } from '../src/keys/reseal.js';
import { SEALED_COLUMNS } from '../src/keys/sealed-columns.js';
import { keys } from '../src/operations/keys/keys.js';
import type { OperationContext } from '../src/operations/operation.js';
import type { Database } from '../src/persistence/database.js';
import type { DatabaseLocation } from '../src/persistence/database-url.js';
import { readSettings } from '../src/settings/read-settings.js';
import type { ServerSettings } from '../src/settings/settings.js';
import { realWorld } from '../src/world/real-world.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

/** Where a canary is planted: its name is part of it, so that a find tells what leaked. */
const canary = (place: string): string => `canary-${place}-4b7e`;
const PLAIN = 'encryption:\n  keys:\n    - type: identity # nothing is encrypted yet\n';

const isFull = process.env['DSTACK_TEST_FULL'] === '1';
const databases = testDatabases().filter(({ name }) => isFull || name === 'SQLite');

describe.each(databases)('keys of a server on $name', ({ location, name: engine }) => {
  const serverDir = mkdtempSync(join(tmpdir(), 'dstack-keys-'));
  const config = join(serverDir, 'config.yml');
  let database: DatabaseLocation;
  let secrets: readonly string[] = [];
  let token: string;
  let printed: string[] = [];
  const settings = (): Partial<ServerSettings> => ({
    serverDir,
    database,
    backgroundProcessing: false,
    oidc: {
      name: 'lab', issuer: 'http://127.0.0.1:1', clientId: 'dstack', clientSecret: canary('oidc-client'), scopes: 'openid',
      usernameClaim: 'name', groupsClaim: 'groups', allowedGroups: [], adminGroups: [], projectRoles: [],
    },
  }); // prettier-ignore
  const run = async (...words: [string, string?]): Promise<string> => {
    printed = [];
    const context: OperationContext = {
      settings: readSettings({}, settings()).settings,
      world: realWorld(),
      print: (line) => void printed.push(line),
    };
    await keys(context, ...words);
    return printed.join('\n');
  };
  /** Everything that somebody with a copy of the data has: files and tables, without the keys. */
  const leaks = (): string[] => {
    const files = [join(serverDir, 'data')].filter(existsSync).flatMap(filesOf);
    const dump = database.dialect === 'postgres' ? [execFileSync('pg_dump', [database.url], DUMP)] : [];
    const all = [...files, ...dump];
    return secrets.filter((secret) => all.some((text) => text.includes(secret)));
  };

  beforeAll(async () => {
    database = engine === 'SQLite' ? { dialect: 'sqlite', path: join(serverDir, 'data/sqlite.db') } : await location();
    writeFileSync(config, PLAIN);
    const server = await startTestServer(settings());
    try {
      token = server.adminToken;
      secrets = await plant(server);
    } finally {
      await server.close();
    }
  });
  afterAll(() => rmSync(serverDir, { recursive: true, force: true }));

  it('none: all lies there as it is, and is said to', async () => {
    expect(leaks()).toEqual(secrets.filter((secret) => secret !== canary('oidc-client')));
    expect(await run('list')).toMatch(/^plain text: \d+ values, encrypts new ones\nNothing is encrypted\./);
  });

  it('the first one: nothing secret is left in plain text', async () => {
    expect(await run('rotate', 'key1')).toContain('Made key "key1"');
    expect(readFileSync(config, 'utf8')).toContain('# nothing is encrypted yet');
    expect(statSync(config).mode & 0o777).toBe(0o600);
    if (engine === 'Postgres') {
      await expect(run('re-encrypt')).rejects.toThrow('No server has been started with "key1"');
      await (await startTestServer(settings())).close();
    }
    expect(await run('re-encrypt')).toMatch(/users\.token: \d+ rows seen[^]*Encrypted \d+ rows with "key1"/);
    expect(leaks()).toEqual([]);
    expect(await run('list')).toMatch(/^key "key1": \d+ values, encrypts new ones$/);
    expect(await run('re-encrypt')).toContain('Encrypted 0 rows');
  });

  it('another one: the old one goes when nothing needs it', async () => {
    await run('add', 'key2');
    await expect(run('add', 'key2')).rejects.toThrow('There is a key "key2" already');
    await run('rotate', 'key2');
    await (await startTestServer(settings())).close();
    await expect(run('retire', 'key2')).rejects.toThrow('"key2" encrypts new values');
    await expect(run('retire', 'key1')).rejects.toThrow(/values still need "key1"\. First: dstack server keys re-enc/);
    expect(await run('list')).toContain('dstack server keys re-encrypt');
    await run('re-encrypt');
    const kept = (await run('retire', 'key1')).match(/kept in (\S+)\. /)?.[1] ?? '';
    expect(Buffer.from(readFileSync(kept, 'utf8'), 'base64')).toHaveLength(32);
    expect(readFileSync(config, 'utf8')).not.toContain('key1');
    await expect(run('retire', 'key1')).rejects.toThrow('There is no key "key1"');
    const server = await startTestServer(settings());
    try {
      const { body } = await server.post('/api/project/main/secrets/get', { name: 'hub' }, token);
      expect(body).toMatchObject({ value: canary('secret') });
      const hosts = await server.post('/api/project/main/runs/get', { run_name: 'train' }, token);
      expect(hosts.text).toContain(canary('env'));
      expect(await unlistedColumns(server.db)).toEqual([]);
    } finally {
      await server.close();
    }
  });

  it('the generated one, which a move to Postgres puts into config.yml: it goes like any other', async () => {
    const secret = Buffer.alloc(32, 3).toString('base64');
    const file = join(serverDir, 'encryption.key');
    const moved = readFileSync(config, 'utf8').replace(
      /( *)- type: aes/,
      `$1- {type: aes, name: generated, secret: ${secret}}\n$&`,
    );
    for (const isInFileToo of [false, true]) {
      writeFileSync(config, moved);
      await run('rotate', 'key2');
      if (isInFileToo) writeFileSync(file, secret);
      const kept = (await run('retire', 'generated')).match(/kept in (\S+)\. /)?.[1] ?? '';
      expect(readFileSync(kept, 'utf8').trim()).toBe(secret);
      expect(readFileSync(config, 'utf8')).not.toContain('generated');
      expect(existsSync(file)).toBe(false);
    }
  });

  it('that is lost: what it opened is named and left as it is', async () => {
    const text = readFileSync(config, 'utf8');
    const lost = text.replace(/secret: .*/, `secret: ${Buffer.alloc(32, 1).toString('base64')}`);
    writeFileSync(config, lost);
    expect(await run('list')).toMatch(/key "key2": \d+ values, and it is NOT here/);
    await expect(run('re-encrypt')).rejects.toThrow('Values are encrypted with "key2", which is not here');
    writeFileSync(config, text);
  });
});

const DUMP = { encoding: 'utf8', maxBuffer: 100_000_000 } as const;

/** @returns what must not be readable in the database */
async function plant(server: TestServer): Promise<string[]> {
  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const reply = await server.post(`/api/${path}`, body);
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
    return reply.body as T;
  };
  await post('users/create', { username: 'ann', global_role: 'user' });
  const ann = await post<Wire.UserWithCreds>('users/get_user', { username: 'ann' });
  await post('project/main/secrets/create_or_update', { name: 'hub', value: canary('secret') });
  await post('project/main/repos/init', {
    repo_id: 'r',
    repo_info: { repo_type: 'remote', repo_name: 'r' },
    repo_creds: { clone_url: 'https://127.0.0.1:1/r.git', oauth_token: canary('repo'), private_key: null },
  });
  await post('project/main/backends/create', {
    type: 'lambda',
    creds: { type: 'api_key', api_key: canary('backend') },
  });
  const configuration = {
    type: 'task',
    name: 'train',
    image: '127.0.0.1:1/none',
    commands: ['true'],
    env: { TOKEN: canary('env') },
    registry_auth: { username: 'u', password: canary('registry') },
    nodes: 2,
  };
  const runSpec = { run_name: 'train', configuration, ssh_key_pub: 'ssh-ed25519 AAAA', repo_id: null };
  await post('project/main/runs/apply', { plan: { run_spec: runSpec, current_resource: null }, force: false });
  const sshConfig = {
    user: 'u',
    hosts: ['192.0.2.1'],
    ssh_key: { public: '', private: canary('fleet-key') },
  };
  const fleet = { type: 'fleet', name: 'lab', env: { TOKEN: canary('fleet-env') }, ssh_config: sshConfig };
  await post('project/main/fleets/apply', {
    plan: { spec: { configuration: fleet, profile: { name: 'default' } }, current_resource: null },
    force: false,
  });
  const rest = await server.db.write(async (tx) => {
    const gatewayId = server.installationId;
    const open = (sealed: string): string => tx.sealing.open(sealed);
    await tx.execute(
      `INSERT INTO gateways (id, project_id, user_id, name, status, status_changed_at, configuration, backend_type, region, desired_replica_count,
         ssh_public_key, ssh_private_key, host_access, created_at)
       SELECT ?, p.id, p.owner_id, 'gate', 'failed', 1, '{}', 'aws', 'r', 1, 'p', ?, ?, 1 FROM projects p WHERE p.name = 'main'`,
      [gatewayId, tx.sealing.seal(canary('gateway-key')), tx.sealing.seal(canary('gateway-hosts'))],
    );
    await tx.execute(
      'INSERT INTO gateway_certificates (gateway_id, host, certificate, expires_at) VALUES (?, ?, ?, 1)',
      [gatewayId, 'a.example.org', tx.sealing.seal(canary('certificate'))],
    );
    const columns = await tx.query<{ sealed: string }>(
      `SELECT ssh_private_key AS sealed FROM users WHERE ssh_private_key IS NOT NULL UNION ALL SELECT ssh_private_key FROM projects`,
    );
    const jobs = await tx.query<{ spec: string }>(`SELECT job_spec AS spec FROM jobs`);
    const clusterKeys = jobs
      .flatMap(({ spec }) => sealedValues(spec, 'json'))
      .map(open)
      .filter((text) => text.includes('PRIVATE KEY'));
    expect(clusterKeys.length).toBeGreaterThan(0);
    return [...columns.map(({ sealed }) => open(sealed)), ...clusterKeys].map(lineOfKey);
  });
  const canaries = ['secret', 'repo', 'backend', 'env', 'registry', 'fleet-key', 'fleet-env', 'gateway-key', 'gateway-hosts', 'certificate', 'oidc-client']; // prettier-ignore
  return [...canaries.map(canary), ann.creds.token, server.adminToken, ...rest];
}

/** A line that no other key has. */
function lineOfKey(privateKey: string): string {
  const line = privateKey.split(/\n|\\n/).find((text, index) => index > 3 && text.length > 40);
  if (line === undefined) throw new Error('this is no private key');
  return line;
}

function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
}

/** Columns with encrypted values that nobody would re-encrypt. */
async function unlistedColumns(db: Database): Promise<string[]> {
  const known = new Set(SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`));
  return db.read(async (tx) => {
    const columns = await tx.query<{ name: string; column: string }>(
      tx.dialect === 'sqlite'
        ? `SELECT t.name, c.name AS column FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'`
        : `SELECT table_name AS name, column_name AS column FROM information_schema.columns WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')`,
    );
    const found: string[] = [];
    for (const { name, column } of columns) {
      if (known.has(`${name}.${column}`) || column === 'key_check') continue;
      const rows = await tx.query(`SELECT 1 AS one FROM ${name} WHERE ${column} LIKE '%enc:aes:%' LIMIT 1`);
      if (rows.length > 0) found.push(`${name}.${column}`);
    }
    return found;
  });
}
