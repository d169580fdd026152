import { schemaProblem } from '@dstack/contract-tools';
import type { Wire } from '@dstack/core';
import { PlacementPass } from '../src/placement/placement-pass.js';
import { generateKeyPair } from '../src/ssh-keys/generate-key-pair.js';
import { giveHosts } from './support/given-hosts.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';

let server: TestServer;
let job: string;

beforeAll(async () => {
  process.env['DSTACK_SSHPROXY_API_TOKEN'] = 'of-the-proxy';
  const sshProxy = { hostname: 'ssh.example.org', port: 2222, isEnforced: false };
  server = await startTestServer({ backgroundProcessing: false, localBackend: false, sshProxy });
  await giveHosts(server, 'lab', { '192.0.2.1': {} });
  const configuration = { type: 'task', name: 'train', commands: ['true'] };
  await server.post('/api/project/main/runs/apply', { plan: { run_spec: { configuration } }, force: false });
  await server.app.get(PlacementPass, { strict: false }).run({ hasNews: true });
  job = await running();
}, 60_000);
afterAll(async () => {
  delete process.env['DSTACK_SSHPROXY_API_TOKEN'];
  await server.close();
});

/** As if an agent had started it. */
function running(): Promise<string> {
  return server.db.write(async (tx) => {
    const [row] = await tx.query<{ id: string; runtime_data: string }>('SELECT id, runtime_data FROM jobs');
    const agent = { phase: 'running', sshPort: 40_022, username: 'ubuntu', workingDir: '/w' };
    const runtime = { ...(JSON.parse(row?.runtime_data ?? '{}') as object), agent };
    await tx.execute(`UPDATE jobs SET status = 'running', runtime_data = ?`, [JSON.stringify(runtime)]);
    return row?.id ?? '';
  });
}

const ask = (id: string, token = 'of-the-proxy') => server.post('/api/sshproxy/get_upstream', { id }, token);

it('tells the proxy the way to a job, with the keys for it and those of its user', async () => {
  const { publicKey } = generateKeyPair('own');
  await server.post('/api/users/public_keys/add', { key: publicKey });
  const { body, status } = await ask(job.replaceAll('-', ''));
  expect(status).toBe(200);
  expect(schemaProblem('sshproxy_get_upstream', 200, body)).toBeUndefined();
  const { hosts, authorized_keys: keys } = body as Wire.GetUpstreamResponse;
  expect(hosts.map(({ host, port, user }) => `${user}@${host}:${port}`)).toEqual([
    'u@192.0.2.1:1',
    'ubuntu@127.0.0.1:40022',
  ]);
  for (const { private_key: key } of hosts) expect(key).toMatch(/^-----BEGIN (OPENSSH|RSA) PRIVATE KEY-----/);
  const me = (await server.post('/api/users/get_my_user')).body as Wire.UserWithCreds;
  expect(keys).toEqual([me.ssh_public_key?.trim(), publicKey.split(' ').slice(0, 2).join(' ')]);
});

it('tells nobody else, and nothing of a job that does not run', async () => {
  expect((await ask(job, server.adminToken)).status).toBe(403);
  expect((await ask('00000000-0000-0000-0000-000000000000')).status).toBe(400);
  await server.db.write((tx) => tx.execute(`UPDATE jobs SET status = 'done'`));
  expect((await ask(job)).status).toBe(400);
  await server.db.write((tx) => tx.execute(`UPDATE jobs SET status = 'running'`));
});

it('lets in nobody whose user is deactivated', async () => {
  await server.db.write((tx) => tx.execute('UPDATE users SET active = false'));
  expect((await ask(job)).body).toMatchObject({ authorized_keys: [] });
  await server.db.write((tx) => tx.execute('UPDATE users SET active = true'));
});

it('shows people the command that leads through it', async () => {
  const run = (await server.post('/api/project/main/runs/get', { run_name: 'train' })).body as Wire.Run;
  expect(run.jobs[0]?.job_connection_info?.proxied_ssh_command).toEqual([
    'ssh',
    '-p',
    '2222',
    `${job}@ssh.example.org`,
  ]);
});
