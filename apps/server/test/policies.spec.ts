import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../src/auth/caller.js';
import { Policies, type Policy } from '../src/policies/policies.js';
import { startTestServer, type Reply, type TestServer } from './support/start-test-server.js';

const base = mkdtempSync(join(tmpdir(), 'dstack-policies-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const MODULE = `export default {
  onRunApply({ user, project, spec }) {
    const { configuration } = spec;
    if (configuration.env?.CRASH) return null.boom;
    if ((configuration.name ?? '').startsWith('no-')) throw new Error(\`\${user} may not run \${configuration.name} in \${project}\`);
    configuration.env = { ...configuration.env, TEAM: project };
    return spec;
  },
  onFleetApply: ({ spec }) => (spec.configuration.nodes?.max > 4 ? { spec: 'nonsense' } : undefined),
  onVolumeApply() { throw new Error('no volumes here'); },
  onGatewayApply: async () => { throw new Error('no gateways here'); },
};
`;

const plan = (server: TestServer, configuration: object): Promise<Reply> =>
  server.post('/api/project/main/runs/get_plan', { run_spec: { configuration: { type: 'task', commands: ['true'], ...configuration } } }); // prettier-ignore

describe('a module with policies', () => {
  let server: TestServer;
  beforeAll(async () => {
    writeFileSync(join(base, 'policy.mjs'), MODULE);
    writeFileSync(join(base, 'config.yml'), 'plugins:\n  - ./policy.mjs\n');
    server = await startTestServer({ serverDir: base, backgroundProcessing: false });
  });
  afterAll(() => server.close());

  it('changes what is planned and applied', async () => {
    const { body } = await plan(server, { name: 'train' });
    const { run_spec, effective_run_spec } = body as Wire.RunPlan;
    expect(effective_run_spec?.configuration).toMatchObject({ env: { TEAM: 'main' } });
    expect(run_spec.configuration).not.toMatchObject({ env: { TEAM: 'main' } });
    const applied = await server.post('/api/project/main/runs/apply', { plan: { run_spec, current_resource: null }, force: false }); // prettier-ignore
    expect(applied.body).toMatchObject({ run_spec: { configuration: { env: { TEAM: 'main' } } } });
  });

  it('refuses with its reason, and nothing is applied', async () => {
    const refused = await plan(server, { name: 'no-way' });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('rejected by policy ./policy.mjs: admin may not run no-way in main')]); // prettier-ignore
    const configuration = { type: 'task', name: 'no-way', commands: ['true'] };
    const apply = await server.post('/api/project/main/runs/apply', { plan: { run_spec: { configuration }, current_resource: null }, force: false }); // prettier-ignore
    expect(apply.status).toBe(400);
    expect((await server.post('/api/project/main/runs/get', { run_name: 'no-way' })).status).toBe(400);
  });

  it.each<[string, string, object, string]>([
    ['runs/get_plan', 'a mistake of its own', { run_spec: { configuration: { type: 'task', commands: ['true'], env: { CRASH: '1' } } } }, 'Policy ./policy.mjs failed; the log of the server says how'],
    ['fleets/get_plan', 'a spec that is none', { spec: { configuration: { type: 'fleet', nodes: '0..9' }, profile: { name: 'd' } } }, 'Policy ./policy.mjs returned an invalid spec'],
    ['volumes/create', 'a refusal', { configuration: { type: 'volume', backend: 'aws', region: 'r', size: '1GB' } }, 'no volumes here'],
    ['gateways/get_plan', 'a refusal', { spec: { configuration: { type: 'gateway', backend: 'aws', region: 'r', domain: 'a.example.org' } } }, 'no gateways here'],
  ])('answers %s with %s: 400', async (path, _what, body, message) => {
    const reply = await server.post(`/api/project/main/${path}`, body);
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(message)]);
  }); // prettier-ignore
});

it.each([
  ['./missing.mjs', 'cannot be loaded'],
  ['./empty.mjs', 'exports no policy'],
  ['rest_plugin', 'needs DSTACK_PLUGIN_SERVICE_URI'],
])('a server whose plugin is %s does not start: %s', async (name, message) => {
  const serverDir = mkdtempSync(join(base, 'broken-'));
  writeFileSync(join(serverDir, 'empty.mjs'), 'export default {};\n');
  const settings = { serverDir, plugins: [name], backgroundProcessing: false };
  await expect(startTestServer(settings)).rejects.toThrow(message);
});

describe('the plugin service', () => {
  let service: Server;
  let server: TestServer;
  const asked: { path: string | undefined; body: unknown }[] = [];
  let answer: (spec: Wire.RunSpec) => { status?: number; body: unknown };

  beforeAll(async () => {
    service = createServer((request, response) => {
      void json(request).then((body) => {
        asked.push({ path: request.url, body });
        const { status = 200, body: reply } = answer((body as { spec: Wire.RunSpec }).spec);
        response.writeHead(status, { 'content-type': 'application/json' }).end(typeof reply === 'string' ? reply : JSON.stringify(reply)); // prettier-ignore
      });
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    const pluginServiceUri = `http://127.0.0.1:${port}/`;
    server = await startTestServer({ pluginServiceUri, backgroundProcessing: false });
  });
  afterAll(async () => {
    await server.close();
    service.close();
  });

  it('is asked as the one of 0.21, and what it answers is planned', async () => {
    answer = (spec) => ({ body: { spec: { ...spec, configuration: { ...spec.configuration, priority: 7 } }, error: null } });
    const { body } = await plan(server, { name: 'train', resources: { gpu: '24GB..' } });
    expect((body as Wire.RunPlan).effective_run_spec?.configuration).toMatchObject({ priority: 7 });
    expect(asked.at(-1)).toMatchObject({
      path: '/apply_policies/on_run_apply',
      body: { user: 'admin', project: 'main', spec: { configuration: { name: 'train', resources: { gpu: { memory: { min: 24 } } } } } },
    });
  }); // prettier-ignore

  it.each<[string, object, string]>([
    ['a refusal', { body: { spec: {}, error: 'too late today' } }, 'Apply request rejected: too late today'],
    ['an error', { status: 500, body: {} }, 'Request to the plugin service failed (500)'],
    ['no answer', { body: 'what?' }, 'Plugin service returned an invalid response'],
    ['no spec', { body: { spec: { configuration: 1 } } }, 'returned an invalid spec'],
  ])('that answers with %s: 400', async (_what, given, message) => {
    answer = () => given as { body: unknown };
    const reply = await plan(server, {});
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(message)]);
  });

  it('that is not there: 400', async () => {
    const alone = await startTestServer({ pluginServiceUri: 'http://127.0.0.1:1', backgroundProcessing: false });
    try {
      const reply = await plan(alone, {});
      expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('Could not connect to the plugin service')]); // prettier-ignore
    } finally {
      await alone.close();
    }
  });
});

it('a policy that hangs is not waited for', async () => {
  let passed: number | undefined;
  const scheduler = { sleep: async (delayMs: number) => void (passed = delayMs) };
  const hanging: Policy = { name: 'slow', ask: () => new Promise(() => undefined) };
  const scope = { projectName: 'main', caller: { name: 'ann' } } as ProjectScope;
  const asked = new Policies([hanging], scheduler).apply('run', scope, {}, () => ({}));
  await expect(asked).rejects.toThrow('Policy slow did not answer within 8 s. Nothing was applied');
  expect(passed).toBe(8_000);
});
