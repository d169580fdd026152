import { jest } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../src/settings/read-settings.js';
import { sqliteDriver } from '../src/persistence/sqlite-connection.js';
import { startTestServer } from './support/start-test-server.js';

let serverDir: string;
beforeEach(() => {
  serverDir = mkdtempSync(join(tmpdir(), 'dstack-start-'));
});
afterEach(() => rmSync(serverDir, { recursive: true, force: true }));

const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
const config = (text: string | Buffer): void => writeFileSync(join(serverDir, 'config.yml'), text);
const keyConfig = (...secrets: [string, string][]): string =>
  `encryption:\n  keys:\n${secrets.map(([name, secret]) => `    - {type: aes, name: ${name}, secret: "${secret}"}\n`).join('')}`;

describe('a start', () => {
  it('keeps tokens, keys and projects from the last one', async () => {
    const first = await startTestServer({ serverDir });
    const { adminToken, installationId } = first;
    await first.close();
    const second = await startTestServer({ serverDir });
    expect([second.adminToken, second.installationId]).toEqual([adminToken, installationId]);
    await second.close();
  });

  it('refuses a directory that another server uses, and says who', async () => {
    const first = await startTestServer({ serverDir });
    await expect(startTestServer({ serverDir })).rejects.toThrow(
      new RegExp(`in use by another server \\(process ${process.pid}, since`),
    );
    await first.close();
    await (await startTestServer({ serverDir })).close();
  });

  it('leaves a database of the Python server untouched', async () => {
    const path = join(serverDir, 'sqlite.db');
    const database = new sqliteDriver(path);
    database.exec('CREATE TABLE alembic_version (version_num text)');
    database.close();
    await expect(startTestServer({ serverDir, database: { dialect: 'sqlite', path } })).rejects.toThrow(
      'belongs to the Python dstack server',
    );
    const after = new sqliteDriver(path);
    expect(after.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()).toEqual([
      { name: 'alembic_version' },
    ]);
    after.close();
  });

  it('refuses a key that does not open the database, and names the one that does', async () => {
    config(keyConfig(['one', key(1)]));
    await (await startTestServer({ serverDir })).close();
    config(keyConfig(['two', key(2)]));
    await expect(startTestServer({ serverDir })).rejects.toThrow('encrypted with the key "one"');
    config(keyConfig(['two', key(2)], ['one', key(1)]));
    const rotated = await startTestServer({ serverDir });
    expect((await rotated.post('/api/users/get_my_user')).status).toBe(200);
    await rotated.close();
  });

  it('makes no key where the database is copied elsewhere, and warns', async () => {
    const server = await startTestServer({ serverDir, databaseIsReplicated: true });
    expect(readdirSync(serverDir)).not.toContain('encryption.key');
    const { body } = await server.call('GET', '/readyz', { token: null });
    expect(body).toEqual({ status: 'ready', warnings: [expect.stringContaining('openssl rand -base64 32')] });
    await server.close();
  });

  it('keeps the key it makes to its owner', async () => {
    await (await startTestServer({ serverDir })).close();
    expect(statSync(join(serverDir, 'encryption.key')).mode & 0o777).toBe(0o600);
  });
});

describe('config.yml', () => {
  it.each([
    ['a wrong field', 'projects:\n  - name: main\n    backend: []\n', /config\.yml, line 2: .*backend/],
    ['a wrong name', 'projects:\n  - name: "a b"\n', /line 2: projects\.0\.name: letters, digits/],
    ['text that is no YAML', 'projects: [\n', /line \d+, column \d+/],
    ['plugins', 'plugins: [rest]\n', /cannot be loaded/],
    [
      'a short key',
      keyConfig(['a', 'c2hvcnQ=']),
      /line 3: encryption\.keys\.0\.secret: must be base64 of exactly 32 bytes/,
    ],
    ['an alias of nothing', 'projects: *nope\n', /config\.yml: Unresolved alias/],
    [
      'aliases that multiply',
      'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c]\n',
      /config\.yml: Excessive alias count/,
    ],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00]), /config\.yml is not UTF-8 text/],
    ['a project that is there twice', 'projects: [{name: a}, {name: a}]\n', /project a is there twice/],
  ] satisfies [string, string | Buffer, RegExp][])(
    'with %s keeps the server from starting',
    async (_case, text, message) => {
      config(text);
      await expect(startTestServer({ serverDir })).rejects.toThrow(message);
    },
  );

  it('that cannot be read keeps the server from starting', async () => {
    mkdirSync(join(serverDir, 'config.yml'));
    await expect(startTestServer({ serverDir })).rejects.toThrow(/config\.yml cannot be read: EISDIR/);
  });

  it('creates the projects it lists and tells of backends that are not there', async () => {
    config('projects:\n  - name: lab\n    backends:\n      - type: nowhere\n      - type: local\n');
    const server = await startTestServer({ serverDir });
    expect((await server.post('/api/projects/lab/get')).status).toBe(200);
    const { body } = await server.post('/api/project/lab/backends/local/get_yaml');
    expect(body).toEqual({ name: 'local', config_yaml: 'type: local\nruntime: auto\n' });
    await server.close();
    config('projects:\n  - name: lab\n');
    const again = await startTestServer({ serverDir });
    expect((await again.post('/api/project/lab/backends/local/get_yaml')).status).toBe(400);
    await again.close();
  });

  it('changes what users may do', async () => {
    config('default_permissions:\n  allow_non_admins_create_projects: false\n');
    const server = await startTestServer({ serverDir });
    await server.post('/api/users/create', { username: 'ann', global_role: 'user' });
    const { body } = await server.post('/api/users/get_user', { username: 'ann' });
    const { creds, permissions } = body as { creds: { token: string }; permissions: unknown };
    expect(permissions).toEqual({ can_create_projects: false });
    expect((await server.post('/api/projects/create', { project_name: 'x' }, creds.token)).status).toBe(403);
    await server.close();
  });
});

it.each([
  ['', [403, 403]],
  ['default_permissions: {allow_managers_manage_secrets: true}\n', [403, 200]],
])('a user and a manager list secrets with %j in config.yml: %j', async (text, expected) => {
  config(text);
  const server = await startTestServer({ serverDir, backgroundProcessing: false });
  const tokens: string[] = [];
  for (const [username, project_role] of [['ann', 'user'], ['mia', 'manager']]) {
    await server.post('/api/users/create', { username, global_role: 'user' });
    await server.post('/api/projects/main/add_members', { members: [{ username, project_role }] });
    const { body } = await server.post('/api/users/get_user', { username });
    tokens.push((body as { creds: { token: string } }).creds.token);
  }
  const replies = tokens.map((token) => server.post('/api/project/main/secrets/list', undefined, token));
  expect((await Promise.all(replies)).map(({ status }) => status)).toEqual(expected);
  await server.close();
}); // prettier-ignore

it('plans and submits jobs with the images it is set to, and refuses what it is set to refuse', async () => {
  const { settings } = readSettings({
    DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY: 'mirror.example.com',
    DSTACK_FORBID_DSTACK_IN_RUNS: '',
  });
  const { images, runLimits } = settings;
  const server = await startTestServer({ serverDir, images, runLimits, backgroundProcessing: false });
  const run_spec = (fields: object): object => ({
    run_name: 'mirrored',
    configuration: { type: 'task', commands: ['true'], image: 'debian', ...fields },
  });
  const plan = await server.post('/api/project/main/runs/get_plan', { run_spec: run_spec({}) });
  const run = await server.post('/api/project/main/runs/apply', { plan: { run_spec: run_spec({}) }, force: false });
  expect(plan.body).toMatchObject({ job_plans: [{ job_spec: { image_name: 'mirror.example.com/debian' } }] });
  expect(run.body).toMatchObject({ jobs: [{ job_spec: { image_name: 'mirror.example.com/debian' } }] });
  const refused = await server.post('/api/project/main/runs/get_plan', { run_spec: run_spec({ dstack: true }) });
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('dstack: true')]);
  await server.close();
});

it('gives backends no credentials of its machine where that is forbidden', async () => {
  const { ambientCredentials } = readSettings({ DSTACK_DEFAULT_CREDS_DISABLED: '' }).settings;
  const server = await startTestServer({ serverDir, ambientCredentials, backgroundProcessing: false });
  const ambient = { type: 'aws', regions: ['eu-west-1'], creds: { type: 'default' } };
  const refused = await server.post('/api/project/main/backends/create', ambient);
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('DSTACK_DEFAULT_CREDS_DISABLED')]);
  expect((await server.post('/api/projects/main/get')).body).toMatchObject({ backends: [] });
  await server.close();
});

it('leaves no secret in files, logs or errors', async () => {
  const written: string[] = [];
  const capture = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
  const captureErrors = jest
    .spyOn(process.stderr, 'write')
    .mockImplementation((chunk) => written.push(String(chunk)) > 0);
  const canary = 'canary-7f3a9c';
  try {
    const server = await startTestServer({ serverDir, logLevel: 'DEBUG' });
    const replies = [
      await server.post('/api/project/main/secrets/create_or_update', { name: 'a', value: `${canary}-secret` }),
      await server.post('/api/project/main/repos/init', {
        repo_id: 'r',
        repo_info: { repo_type: 'virtual' },
        repo_creds: { clone_url: 'https://x', oauth_token: `${canary}-repo` },
      }),
    ];
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    const told = [
      await server.post('/api/project/main/secrets/list'),
      await server.post('/api/project/main/secrets/delete', { secrets_names: ['b'] }),
      await server.post('/api/events/list', {}),
      await server.post('/api/users/list', undefined, `${canary}-token`),
      await server.post('/api/project/main/backends/create_yaml', {
        config_yaml: `type: local\ncreds: ${canary}-backend`,
      }),
      await server.call('POST', '/api/project/main/repos/get', { body: { repo_id: 'r', include_creds: false } }),
    ].map(({ text }) => text);
    const { adminToken } = server;
    const { body } = await server.post('/api/users/get_my_user');
    const privateKey = (body as { ssh_private_key: string }).ssh_private_key.split('\n')[2] ?? '';
    const { body: repo } = await server.post('/api/project/main/repos/get', { repo_id: 'r', include_creds: true });
    expect(repo).toMatchObject({ repo_creds: { oauth_token: `${canary}-repo` } });
    await server.close();
    const files = readdirSync(join(serverDir, 'data')).map((name) =>
      readFileSync(join(serverDir, 'data', name), 'latin1'),
    );
    const everything = [...written, ...told, ...files].join('\n');
    for (const secret of [canary, adminToken, privateKey]) expect(everything.includes(secret)).toBe(false);
  } finally {
    capture.mockRestore();
    captureErrors.mockRestore();
  }
});
