import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { startTestServer, type TestServer } from './support/start-test-server.js';

/** Hosts that nobody answers at are enough to see what the server makes of a list of hosts. */
let server: TestServer;
let keyDir: string;
let refusingPort: number;
const key = () => ({
  public: readFileSync(join(keyDir, 'id.pub'), 'utf8').trim(),
  private: readFileSync(join(keyDir, 'id'), 'utf8'),
});

beforeAll(async () => {
  keyDir = mkdtempSync(join(tmpdir(), 'dstack-keys-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keyDir, 'id')]);
  refusingPort = await portWithoutListener();
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
  rmSync(keyDir, { recursive: true, force: true });
});

const spec = (name: string, hosts: unknown[]) => ({
  configuration: {
    type: 'fleet',
    name,
    ssh_config: { user: 'ubuntu', port: refusingPort, identity_file: '~/.ssh/id', ssh_key: key(), hosts },
  },
  profile: { name: 'default' },
});
const apply = (name: string, hosts: unknown[], force = false) =>
  server.post('/api/project/main/fleets/apply', { plan: { spec: spec(name, hosts) }, force });
type ShownInstance = Wire.Instance & { readonly progress: string | null; readonly last_error: string | null };
type ShownFleet = Omit<Wire.Fleet, 'instances'> & { readonly instances: readonly ShownInstance[] };
const get = async (name: string) => (await server.post('/api/project/main/fleets/get', { name })).body as ShownFleet;

it('gives each host an instance, and says why one is not ready', async () => {
  const reply = await apply('lab', ['127.0.0.1', { hostname: '127.0.0.2', blocks: 2 }]);
  expect(reply.status).toBe(200);
  const fleet = await eventually(() => get('lab'), ({ instances }) => instances.every((each) => each.last_error !== null)); // prettier-ignore
  expect(fleet.instances.map(({ name, hostname, status, backend, price }) => ({ name, hostname, status, backend, price }))).toEqual([
    { name: 'lab-0', hostname: '127.0.0.1', status: 'pending', backend: 'remote', price: 0 },
    { name: 'lab-1', hostname: '127.0.0.2', status: 'pending', backend: 'remote', price: 0 },
  ]); // prettier-ignore
  expect(fleet.instances[0]?.last_error).toContain(`ubuntu@127.0.0.1:${refusingPort} refused the connection`);
});

it('never gives a private key away, nor keeps one readable', async () => {
  const { private: secret } = key();
  const line = secret.split('\n')[2] ?? '';
  const plan = await server.post('/api/project/main/fleets/get_plan', { spec: spec('other', ['127.0.0.3']) });
  const events = await server.post('/api/events/list', {});
  for (const { text } of [plan, events, await server.post('/api/project/main/fleets/get', { name: 'lab' })])
    expect(text).not.toContain(line);
  const data = join(server.serverDir, 'data');
  for (const file of readdirSync(data)) expect(readFileSync(join(data, file)).includes(line)).toBe(false);
});

it('refuses a host of another fleet, and says where it stands', async () => {
  const plan = await server.post('/api/project/main/fleets/get_plan', { spec: spec('twice', ['127.0.0.1']) });
  expect(plan).toMatchObject({ status: 400, body: { detail: [{ msg: expect.stringContaining('127.0.0.1 is in another fleet') as string }] } }); // prettier-ignore
  expect((await apply('twice', ['127.0.0.1'])).status).toBe(400);
});

it('refuses hosts that could never be reached as they are written', async () => {
  const body = spec('keyless', ['127.0.0.9']);
  const without = {
    ...body,
    configuration: { ...body.configuration, ssh_config: { user: 'u', hosts: ['127.0.0.9'] } },
  };
  const reply = await server.post('/api/project/main/fleets/apply', { plan: { spec: without }, force: false });
  expect(reply.status).toBe(400);
  expect(reply.text).toContain('no private key: set `identity_file`');
});

it('adds and removes hosts without touching the others', async () => {
  const before = await get('lab');
  const current_resource = before;
  const changed = spec('lab', ['127.0.0.1', '127.0.0.4']);
  const reply = await server.post('/api/project/main/fleets/apply', { plan: { spec: changed, current_resource }, force: false }); // prettier-ignore
  expect(reply.status).toBe(200);
  const after = await eventually(
    () => get('lab'),
    ({ instances }) => instances.every((each) => each.hostname !== '127.0.0.2'),
  );
  expect(after.instances.map((each) => each.hostname)).toEqual(['127.0.0.1', '127.0.0.4']);
  expect(after.instances[0]?.id).toBe(before.instances[0]?.id);
});

it('ends with all of its hosts', async () => {
  expect((await server.post('/api/project/main/fleets/delete', { names: ['lab'] })).status).toBe(200);
  await eventually(
    () => server.post('/api/project/main/fleets/get', { name: 'lab' }),
    ({ status }) => status === 400,
  );
  expect((await apply('again', ['127.0.0.1'])).status).toBe(200);
});

async function eventually<T>(ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
  const until = Date.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (Date.now() > until) throw new Error(`still not: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
}

function portWithoutListener(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
