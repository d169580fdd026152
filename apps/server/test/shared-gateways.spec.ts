import type { Wire } from '@dstack/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { tokenHash } from '../src/auth/token.js';
import { giveGateways, type GatewayWorld } from './support/gateway-world.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { databasesOfLongStories } from './support/test-databases.js';

describe.each(databasesOfLongStories())('a gateway that is shared on $name', ({ location }) => {
  let server: TestServer;
  let world: GatewayWorld;
  let token: string;
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), localBackend: false });
    world = giveGateways(server);
    await must('/api/users/create', { username: 'ann', global_role: 'user' });
    const user = (await must('/api/users/get_user', { username: 'ann' })) as Wire.UserWithCreds;
    token = user.creds.token;
    await must('/api/projects/create', { project_name: 'team' }, token);
  });
  afterEach(() => server.close());

  async function must(path: string, body?: unknown, as?: string): Promise<unknown> {
    const reply = await server.post(path, body, as);
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
    return reply.body;
  }
  const until = async <T>(look: () => T | Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
    for (let tries = 0; tries < 400; tries += 1) {
      const value = await look();
      if (isIt(value)) return value;
      await sleep(25);
    }
    throw new Error(`it never came: ${JSON.stringify(await look())}`);
  };
  const makeGateway = async (domain: string) => {
    const configuration = { type: 'gateway', name: 'edge', backend: 'aws', region: 'eu', domain };
    await must('/api/project/main/gateways/create', { configuration });
    await until(
      async () => (await must('/api/project/main/gateways/get', { name: 'edge' })) as Wire.Gateway,
      ({ status }) => status === 'running',
    );
  };
  const share = () =>
    must('/api/project/main/exports/create', {
      name: 'front',
      importer_projects: ['team'],
      exported_gateways: ['edge'],
    });
  const submit = (project: string, name: string, gateway: unknown, as?: string) => {
    const scaling = { metric: 'rps', target: 1 };
    const configuration = {
      type: 'service',
      name,
      port: 8000,
      commands: ['serve'],
      gateway,
      replicas: '0..1',
      scaling,
    };
    return server.post(
      `/api/project/${project}/runs/apply`,
      { plan: { run_spec: { configuration } }, force: false },
      as,
    );
  };
  const hosts = () => world.gateway(0).state?.services.map(({ host, project }) => `${host} ${project}`) ?? [];

  it('serves the services of who imports it, with tokens apart, until it is shared no more', async () => {
    await makeGateway('${{ run.project_name }}.example.com');
    expect((await submit('team', 'web', 'main/edge', token)).status).toBe(400);
    expect(await share()).toMatchObject({ exported_gateways: [{ name: 'edge' }] });
    const list = (body: object) => must('/api/project/team/gateways/list', body, token);
    expect(await list({})).toEqual([]);
    expect(await list({ include_imported: true })).toMatchObject([
      { name: 'edge', project_name: 'main', default: false },
    ]);
    expect(await must('/api/project/main/gateways/get', { name: 'edge' }, token)).toMatchObject({ name: 'edge' });

    const set = { gateway_project: 'main', name: 'edge' };
    await must('/api/project/team/gateways/set_default', set, token);
    expect(await list({ include_imported: true })).toMatchObject([{ name: 'edge', default: true }]);
    expect((await submit('team', 'web', undefined, token)).body).toMatchObject({
      service: { url: 'https://web.team.example.com/' },
    });
    expect((await submit('main', 'web', 'edge')).body).toMatchObject({
      service: { url: 'https://web.main.example.com/' },
    });
    await until(hosts, (all) => all.length === 2);
    expect(hosts().sort()).toEqual(['web.main.example.com main', 'web.team.example.com team']);
    const opened = world.gateway(0).access?.tokens.find(({ hash }) => hash === tokenHash(token));
    expect(opened?.projects).toEqual(['team']);

    const refused = await server.post('/api/project/main/gateways/delete', { names: ['edge'] });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('serves web, team/web')]);

    await must('/api/project/main/exports/delete', { name: 'front' });
    await until(hosts, (all) => all.length === 1);
    expect(hosts()).toEqual(['web.main.example.com main']);
    expect(world.gateway(0).access?.tokens.find(({ hash }) => hash === tokenHash(token))?.projects).toEqual([]);
    const events = async () => JSON.stringify(await must('/api/events/list', { limit: 100 }));
    await until(events, (text) => text.includes('gateway edge is no longer shared with the project of the service'));
    // There is nobody who could reach it any more, or wake it.
    const web = async () => (await must('/api/project/team/runs/get', { run_name: 'web' }, token)) as Wire.Run;
    expect(await until(web, ({ status }) => status === 'failed')).toMatchObject({
      termination_reason: 'gateway_error',
    });
    expect((await server.post('/api/project/team/gateways/list', null, token)).body).toEqual([]);
    // A default that is shared no more is none.
    expect((await submit('team', 'late', undefined, token)).body).toMatchObject({
      service: { url: '/proxy/services/team/late/' },
    });
    expect(
      (await server.post('/api/project/main/gateways/get', { name: 'edge' }, token)).status,
    ).toBeGreaterThanOrEqual(400);
  });
});
