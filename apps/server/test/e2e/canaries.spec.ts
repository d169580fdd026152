import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { testDatabases } from '../support/test-databases.js';
import { runSpec, ServerProcess, submission } from './server-process.js';

jest.setTimeout(120_000);
const root = join(import.meta.dirname, '../../../..');

beforeAll(() => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const projects = ['apps/server', 'apps/agent', 'libs/backends/local', 'libs/backends/lambda'].map(
    (path) => `${path}/tsconfig.lib.json`,
  );
  execFileSync(process.execPath, [tsc, '-b', ...projects], { cwd: root, stdio: 'inherit' });
});

/** Where a canary was planted; the name is part of it, so that a find tells what leaked. */
const PLACES = ['secret', 'registry', 'env', 'repo-token', 'repo-key', 'backend', 'fleet-env', 'host-key'] as const;
const canary = (place: (typeof PLACES)[number]): string => `canary-${place}-8d1f`;

describe.each(testDatabases())('canaries planted as secrets, state in $name', ({ location }) => {
  let server: ServerProcess;
  let url: string | undefined;
  const told: string[] = [];
  const tell = async (path: string, body: unknown, token?: string): Promise<string> => {
    const reply = await server.send(path, body, token === undefined ? {} : { authorization: `Bearer ${token}` });
    const text = await reply.text();
    told.push(text);
    return text;
  };
  const userToken = async (username: string): Promise<string> => {
    await server.post('users/create', { username, global_role: 'user' });
    const { creds } = await server.post<{ creds: { token: string } }>('users/get_user', { username });
    return creds.token;
  };

  beforeAll(async () => {
    const at = await location();
    url = at.dialect === 'postgres' ? at.url : undefined;
    server = new ServerProcess(url ?? null);
    server.writeConfig(
      `encryption:\n  keys:\n    - type: aes\n      name: k1\n      secret: ${Buffer.alloc(32, 7).toString('base64')}\n`,
    );
    await server.start();
  });
  afterAll(() => server.destroy());

  it('are in no answer to another member, no event, no log and not in the database', async () => {
    const ann = await userToken('ann');
    const bob = await userToken('bob');
    const members = ['ann', 'bob'].map((username) => ({ username, project_role: 'manager' }));
    await server.post('projects/main/add_members', { members });
    await server.post('project/main/secrets/create_or_update', { name: 'planted', value: canary('secret') });
    await server.post('project/main/repos/init', {
      repo_id: 'r',
      repo_info: { repo_type: 'remote', repo_name: 'r' },
      repo_creds: {
        clone_url: 'https://127.0.0.1:1/r.git',
        oauth_token: canary('repo-token'),
        private_key: canary('repo-key'),
      },
    });
    await tell('project/main/backends/create_yaml', { config_yaml: `type: local\ncreds: ${canary('backend')}` });
    await tell('project/main/backends/create_yaml', {
      config_yaml: `type: aws\ncreds: {access_key: ${canary('backend')}`,
    });
    // The answer is the configuration with its credentials, as the contract has it: for the admin who gave them.
    await server.post('project/main/backends/create', {
      type: 'lambda',
      creds: { type: 'api_key', api_key: canary('backend') },
    });
    const env = { OPEN: canary('env'), SECRET: '${{ secrets.planted }}' };
    const registry_auth = { username: 'u', password: canary('registry') };
    const checks = 'test -n "$OPEN" && test -n "$SECRET" && exit 3';
    await server.apply({ name: 'failing', env, commands: [checks] });
    // Nothing can run these: each ends with an error, or waits.
    await server.apply({
      name: 'pulling',
      env,
      image: '127.0.0.1:1/none',
      registry_auth,
      commands: [checks],
      resources: BIG,
    });
    const cloning = {
      ...runSpec({ name: 'cloning', env, commands: [checks] }),
      repo_id: 'r',
      repo_data: { repo_type: 'remote', repo_name: 'r' },
    };
    await server.post('project/main/runs/apply', { plan: { run_spec: cloning, current_resource: null }, force: false });
    expect(submission(await server.finished('failing'))).toMatchObject({ exit_status: 3 });
    const failed = await server.finished('cloning');
    expect(failed.status).toBe('failed');

    await tell('project/main/fleets/apply', {
      plan: {
        spec: {
          configuration: {
            type: 'fleet',
            name: 'hosts',
            env: { TOKEN: canary('fleet-env') },
            ssh_config: {
              user: 'nobody',
              port: 1,
              hosts: ['127.0.0.1'],
              ssh_key: { public: '', private: canary('host-key') },
            },
          },
          profile: { name: 'default' },
        },
      },
      force: false,
    });
    for (const token of [ann, bob]) {
      await tell('runs/list', { include_jobs: true }, token);
      for (const name of ['failing', 'pulling', 'cloning'])
        await tell('project/main/runs/get', { run_name: name }, token);
      await tell('project/main/repos/get', { repo_id: 'r', include_creds: true }, token);
      await tell('project/main/repos/list', undefined, token);
      await tell('project/main/secrets/list', undefined, token);
      await tell('project/main/secrets/get', { name: 'planted' }, token);
      await tell('project/main/fleets/list', {}, token);
      await tell('project/main/fleets/get', { name: 'hosts' }, token);
      await tell('fleets/list', {}, token);
      await tell('instances/list', {}, token);
      await tell('events/list', {}, token);
      await tell('users/list', {}, token);
      await tell('projects/main/get', undefined, token);
      await tell('project/main/backends/lambda/config_info', undefined, token);
      await tell('project/main/backends/lambda/get_yaml', undefined, token);
    }
    await tell('events/list', {});
    await tell('project/main/secrets/list', undefined);
    await tell('project/main/fleets/get', { name: 'hosts' });
    for (const name of ['failing', 'cloning']) told.push(await server.logs(name, { diagnose: true }));
    // Of this machine's own copy of the job nothing may be left either.
    const files = filesOf(server.dir);
    const stored = [...files, ...(url === undefined ? [] : await rowsOf(url))];
    const own = JSON.stringify(await server.post('runs/list', { include_jobs: false }));
    const everywhere = [['an answer', told.join('\n')], ['the log of the server', server.log()], ...stored] as const;
    // The owner sees what was planted: it is there.
    for (const name of ['env', 'registry'] as const) expect(own).toContain(canary(name));
    const secrets = [...PLACES.map((place) => canary(place)), ann, bob];
    // Every member's jobs on the fleet's hosts have its environment, so members may see it.
    const found = secrets
      .flatMap((secret) =>
        everywhere.filter(([, text]) => text.includes(secret)).map(([where]) => `${secret} in ${where}`),
      )
      .filter((where) => where !== `${canary('fleet-env')} in an answer`);
    expect(found).toEqual([]);
  });
});

const BIG = { cpu: '1..', memory: '900000GB..', disk: null };

/** Everything on disk as text, with its path: the database, its write-ahead log, logs, what agents keep. */
function filesOf(dir: string): [string, string][] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size < 50_000_000)
    .map((path) => [path.slice(dir.length), readFileSync(path, 'latin1')]);
}

/** Every row of every table, as text. */
async function rowsOf(url: string): Promise<[string, string][]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    const tables: [string, string][] = [];
    for (const { name } of rows)
      tables.push([`table ${name}`, JSON.stringify((await client.query(`SELECT * FROM ${name}`)).rows)]);
    return tables;
  } finally {
    await client.end();
  }
}
