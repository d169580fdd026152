import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { Wire } from '@dstack/core';
import { importPython } from '../src/operations/import/import.js';
import { readSettings } from '../src/settings/read-settings.js';
import { realWorld } from '../src/world/real-world.js';
import { startTestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

jest.setTimeout(600_000);

/** The real server of dstack 0.21.2, from PyPI: minutes, so only in the full run. A virtual environment that has it may be given. */
const isFull = process.env['DSTACK_TEST_FULL'] === '1';
const given = process.env['DSTACK_TEST_PYTHON_VENV'];
const TOKEN = 'admin-token-of-python';
const base = mkdtempSync(join(tmpdir(), 'dstack-python-'));
const venv = given ?? join(base, 'venv');

(isFull ? describe : describe.skip)('a database that the server of dstack 0.21.2 wrote', () => {
  beforeAll(() => {
    if (given !== undefined) return;
    execFileSync('python3', ['-m', 'venv', venv]);
    execFileSync(join(venv, 'bin/pip'), ['install', '--quiet', 'dstack[all]==0.21.2'], { stdio: 'inherit' });
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  it.each(testDatabases())('on $name is imported, and its tokens go on working', async ({ name, empty }) => {
    const pythonDir = join(base, name);
    mkdirSync(pythonDir);
    const secret = Buffer.alloc(32, 5).toString('base64');
    writeFileSync(join(pythonDir, 'config.yml'), `projects: [{name: main}]\nencryption: {keys: [{type: aes, name: k, secret: ${secret}}]}\n`); // prettier-ignore
    const source = await empty();
    const from = source.dialect === 'postgres' ? source.url : join(pythonDir, 'data/sqlite.db');
    const url = source.dialect === 'postgres' ? source.url.replace('postgresql:', 'postgresql+asyncpg:') : undefined;
    const ann = await seeded(pythonDir, url);
    const settings = { serverDir: join(base, `${name}-new`), backgroundProcessing: false };
    const printed: string[] = [];
    await importPython(
      {
        settings: readSettings({}, settings).settings,
        world: realWorld(),
        print: (line) => void printed.push(line),
      },
      { from, config: join(pythonDir, 'config.yml'), merges: false, isDryRun: false },
    );
    expect(printed.join('\n')).toMatch(/2 users[^]*1 backends[^]*1 secrets/);
    const server = await startTestServer(settings);
    try {
      const me = await server.post('/api/users/get_my_user', {}, ann.creds.token);
      expect(me.body).toMatchObject({ id: ann.id, username: 'ann', ssh_private_key: ann.ssh_private_key });
      expect((await server.post('/api/project/main/secrets/get', { name: 'hub' }, TOKEN)).body).toMatchObject({
        value: 'open sesame',
      });
      const aws = await server.post('/api/project/main/backends/aws/config_info', {}, TOKEN);
      expect(aws.body).toMatchObject({ creds: { secret_key: 'SK' } });
    } finally {
      await server.close();
    }
  });
});

/** Starts it, makes one of each through its API, stops it. */
async function seeded(dir: string, databaseUrl: string | undefined): Promise<Wire.UserWithCreds> {
  const port = await freePort();
  const python = spawn(
    join(venv, 'bin/python'),
    [join(import.meta.dirname, 'support/python-server.py'), String(port)],
    {
      env: {
        PATH: process.env['PATH'],
        HOME: dir,
        DSTACK_SERVER_DIR: dir,
        DSTACK_SERVER_ADMIN_TOKEN: TOKEN,
        ...(databaseUrl === undefined ? {} : { DSTACK_DATABASE_URL: databaseUrl }),
      },
      stdio: 'ignore',
    },
  );
  try {
    await answers(python, port);
    const post = async <T>(path: string, body: unknown): Promise<T> => {
      const reply = await fetch(`http://127.0.0.1:${port}/api/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
      return (await reply.json()) as T;
    };
    await post('users/create', { username: 'ann', global_role: 'user' });
    await post('project/main/secrets/create_or_update', { name: 'hub', value: 'open sesame' });
    const creds = { type: 'access_key', access_key: 'AK', secret_key: 'SK' };
    await post('project/main/backends/create', { type: 'aws', regions: ['eu-west-1'], creds });
    return await post<Wire.UserWithCreds>('users/get_user', { username: 'ann' });
  } finally {
    python.kill('SIGTERM');
    if (python.exitCode === null) await once(python, 'exit');
  }
}

async function answers(python: ChildProcess, port: number): Promise<void> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await delay(250)) {
    if (python.exitCode !== null) throw new Error(`the server of dstack 0.21.2 ended with ${python.exitCode}`);
    const reply = await fetch(`http://127.0.0.1:${port}/healthcheck`).catch(() => null);
    if (reply?.ok === true) return;
  }
  throw new Error('the server of dstack 0.21.2 does not answer');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
