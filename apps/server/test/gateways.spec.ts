import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { tokenHash } from '../src/auth/token.js';
import { OrphanCollector } from '../src/instances/orphan-collector.js';
import { Database } from '../src/persistence/database.js';
import { giveGateways, type GatewayWorld, refusedByCloud } from './support/gateway-world.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { databasesOfLongStories } from './support/test-databases.js';

type Gateway = Wire.Gateway & { readonly status_display: string };

const HOST = { hostname: '198.51.100.4', ssh_key: { public: 'ssh-ed25519 AAAA x', private: 'the private key' } };

describe.each(databasesOfLongStories())('gateways on $name', ({ location }) => {
  let server: TestServer;
  let world: GatewayWorld;
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), localBackend: false, serviceMaxBodyBytes: 1_000_000 });
    world = giveGateways(server);
  });
  afterEach(() => server.close());

  const project = (path: string, body: object = {}, token?: string) =>
    server.post(`/api/project/main/${path}`, body, token);
  const cloudy = (more: object = {}) => ({
    type: 'gateway', name: 'edge', backend: 'aws', region: 'eu', domain: '*.example.com', ...more,
  }); // prettier-ignore
  const own = (more: object = {}) => ({
    type: 'gateway', name: 'edge', backend: 'ssh', domain: 'example.com', ssh_config: { user: 'me', hosts: [HOST] }, ...more,
  }); // prettier-ignore
  const apply = (configuration: object, current: object | null = null) =>
    project('gateways/apply', { plan: { spec: { configuration }, current_resource: current }, force: false });
  const get = async (name = 'edge') => (await project('gateways/get', { name })).body as Gateway;
  const until = async <T>(look: () => T | Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
    for (let tries = 0; tries < 600; tries += 1) {
      const value = await look();
      if (isIt(value)) return value;
      await sleep(25);
    }
    throw new Error(`it never came: ${JSON.stringify(await look())}`);
  };
  const becomes = (status: string) => until(get, (gateway) => gateway.status === status);
  const messages = async (type: string) =>
    (
      (await server.post('/api/events/list', { include_target_types: [type], ascending: true })).body as Wire.Event[]
    ).map(({ message }) => message);
  const submit = (name: string, more: object = {}) =>
    project('runs/apply', {
      plan: {
        run_spec: {
          run_name: name,
          configuration: { type: 'service', port: 8000, commands: ['serve'], replicas: '0..1', scaling: { metric: 'rps', target: 1 }, ...more },
        },
      },
      force: false,
    }); // prettier-ignore
  const detail = (reply: { readonly body: unknown }) => JSON.stringify(reply.body);

  it('of a cloud are made, told of services, and deleted with nothing left', async () => {
    expect((await project('gateways/create', { configuration: cloudy() })).body).toMatchObject({
      name: 'edge',
      status: 'submitted',
      default: true,
    });
    expect(await becomes('running')).toMatchObject({
      project_name: 'main',
      hostname: '203.0.113.7',
      wildcard_domain: '*.example.com',
      backend: 'aws',
      region: 'eu',
      replicas: [{ replica_num: 0, status: 'running', hostname: '203.0.113.7' }],
    });
    expect((await project('gateways/list')).body).toMatchObject([{ name: 'edge' }]);
    await server.app.get(OrphanCollector).round();
    expect(world.cloud.machines.size).toBe(1);

    const model = { type: 'chat', name: 'llama', format: 'openai' };
    const rateLimits = [{ prefix: '/api', rps: 5, burst: 2 }];
    const run = (await submit('chat', { model, rate_limits: rateLimits })).body as Wire.Run;
    expect(run.service).toMatchObject({
      url: 'https://chat.example.com/',
      model: { base_url: 'https://chat.example.com/v1' },
    });
    const { state } = await until(
      () => world.gateway(),
      (gateway) => gateway.state?.services.length === 1,
    );
    expect(state).toMatchObject({
      services: [
        {
          id: run.id,
          project: 'main',
          host: 'chat.example.com',
          https: 'certificate',
          auth: true,
          cors: true,
          maxBodyBytes: 1_000_000,
          rateLimits: [{ prefix: '/api', requestsPerSecond: 5, burst: 2 }],
          replicas: [],
        },
      ],
      models: [{ name: 'llama', serviceId: run.id, api: { format: 'openai', prefix: '/v1' } }],
      modelHosts: [{ host: 'gateway.example.com', project: 'main' }],
      acme: { issues: true, shared: false },
    });
    // Nobody but the gateway answers for it.
    expect((await server.call('GET', '/proxy/services/main/chat/')).status).toBe(404);

    const refused = await project('gateways/delete', { names: ['edge'] });
    expect([refused.status, detail(refused)]).toEqual([400, expect.stringMatching(/serves chat.*--force/)]);
    await project('gateways/delete?force=true', { names: ['edge'] });
    await until(
      async () => (await project('gateways/list')).body as Gateway[],
      (gateways) => gateways.length === 0,
    );
    expect(world.cloud.machines.size).toBe(0);
    // Some are of one moment, in any order.
    expect(new Set(await messages('gateway'))).toEqual(
      new Set([
        'Gateway created. Status: SUBMITTED',
        'Gateway set as default',
        'Gateway status changed SUBMITTED -> PROVISIONING (its replicas are being made)',
        'Gateway replica 0 status changed SUBMITTED -> PROVISIONING (its name is on disk)',
        'Gateway replica 0 status changed PROVISIONING -> RUNNING (it is installed)',
        'Gateway status changed PROVISIONING -> RUNNING (a replica serves)',
        'Gateway marked for deletion',
        'Gateway replica 0 status changed RUNNING -> TERMINATING (it is not needed)',
        'Gateway replica 0 status changed TERMINATING -> TERMINATED (it is gone)',
        'Gateway deleted',
      ]),
    );
    expect(await messages('run')).toContain(
      'The gateway edge of the service is deleted: nobody reaches the service any more',
    );
  });

  it('on a host of one’s own are installed there, keep its key to themselves, and leave it', async () => {
    const plan = await project('gateways/get_plan', { spec: { configuration: own() } });
    expect(plan.body).toMatchObject({ action: 'create', effective_spec: { configuration: { backend: 'remote' } } });
    expect(plan.text).not.toContain('the private key');
    expect((await apply(own())).text).not.toContain('the private key');
    expect(await becomes('running')).toMatchObject({ hostname: '198.51.100.4', region: 'remote' });
    const stored = await server.db.read((tx) => tx.query('SELECT configuration FROM gateways'));
    expect(JSON.stringify(stored)).not.toContain('the private key');
    await project('gateways/delete', { names: ['edge'] });
    await until(
      () => world.uninstalls,
      (hosts) => hosts.includes('198.51.100.4'),
    );
  });

  describe('behind a load balancer', () => {
    const acm = (more: object = {}) => cloudy({ certificate: { type: 'acm', arn: 'arn:of:a:certificate' }, ...more });
    const balancer = () => [...world.cloud.balancers.made.values()][0] ?? null;
    const gone = () =>
      until(
        async () => (await project('gateways/list')).body as Gateway[],
        (gateways) => gateways.length === 0,
      );

    it('are reached at its name, serve what it has deciphered, and take it with them', async () => {
      expect((await apply(acm({ replicas: 2, tags: { team: 'web' } }))).status).toBe(200);
      const running = await until(get, ({ replicas = [] }) => replicas.filter(({ status }) => status === 'running').length === 2); // prettier-ignore
      expect(running.hostname).toMatch(/^dstack-edge-[0-9a-f]{12}\.elb\.example$/);
      expect(balancer()?.request).toMatchObject({
        region: 'eu',
        project: 'main',
        gatewayName: 'edge',
        certificate: 'arn:of:a:certificate',
        isPublic: true,
        tags: { team: 'web' },
      });
      expect(balancer()?.machines).toEqual(new Set(world.cloud.machines.keys()));
      const machines = [...world.cloud.machines.values()];
      expect(new Set(machines.map((each) => each.balancer))).toEqual(new Set(world.cloud.balancers.made.keys()));
      expect(((await submit('chat')).body as Wire.Run).service?.url).toBe('https://chat.example.com/');
      const { state } = await until(
        () => world.gateway(),
        (gateway) => gateway.state?.services.length === 1,
      );
      expect(state).toMatchObject({ services: [{ https: 'balancer' }], acme: null, trustedProxies: ['10.0.0.0/20'] });

      // A machine that is not needed leaves it, and it stays.
      const shrunk = await get();
      expect((await apply(acm({ tags: { team: 'web' } }), shrunk)).status).toBe(200);
      await until(() => world.cloud.machines.size, (count) => count === 1); // prettier-ignore
      expect(balancer()?.machines.size).toBe(1);
      await server.app.get(OrphanCollector).round();
      expect(balancer()).not.toBeNull();

      await project('gateways/delete?force=true', { names: ['edge'] });
      await gone();
      expect([world.cloud.machines.size, balancer()]).toEqual([0, null]);
    });

    it('wait for it, and say so', async () => {
      world.cloud.balancers.isReady = false;
      await apply(acm());
      const waiting = await until(get, ({ status_message: text }) => text !== null && text !== undefined);
      expect(waiting).toMatchObject({ status: 'provisioning', status_message: 'it is being provisioned', hostname: null }); // prettier-ignore
      world.cloud.balancers.isReady = true;
      await becomes('running');
    });

    it('that it refuses have failed before a machine is rented, and say why', async () => {
      world.cloud.balancers.refusal = refusedByCloud('the certificate is not issued yet');
      await apply(acm());
      expect(await becomes('failed')).toMatchObject({ status_message: 'the certificate is not issued yet' });
      expect(world.cloud.machines.size).toBe(0);
    });

    it('that have failed keep none', async () => {
      world.installError = refusedByCloud('no sudo');
      await apply(acm());
      await becomes('failed');
      await until(balancer, (found) => found === null);
      expect(world.cloud.machines.size).toBe(0);
      await project('gateways/delete', { names: ['edge'] });
      await gone();
    });

    it('stay listed, with the reason, while it cannot be deleted', async () => {
      await apply(acm());
      await becomes('running');
      world.cloud.balancers.hold = refusedByCloud('deletion protection is enabled');
      await project('gateways/delete', { names: ['edge'] });
      const held = await until(get, ({ status_message: text }) => text !== null && text !== undefined);
      expect(held).toMatchObject({
        status_display: 'deleting',
        status_message: 'The load balancer is not deleted yet: deletion protection is enabled',
      });
      expect(world.cloud.machines.size).toBe(0);
      world.cloud.balancers.hold = null;
      const db = server.app.get(Database);
      await db.write((tx) => tx.execute('UPDATE gateways SET next_due_at = 0'));
      await gone();
      expect(balancer()).toBeNull();
    });

    it('that are deleted lose one that a late call has made again', async () => {
      await apply(acm());
      await becomes('running');
      const late = balancer()?.request ?? never();
      await project('gateways/delete', { names: ['edge'] });
      await gone();
      await world.cloud.balancers.ensure(late);
      await server.app.get(OrphanCollector).round();
      expect(balancer()).toBeNull();
      expect(await messages('project')).toContainEqual(expect.stringMatching(/^Load balancer dstack-edge-.* is deleted: its gateway is gone/)); // prettier-ignore
    });
  });

  it('that nothing can be made of have failed, and say why', async () => {
    world.cloud.refusal = refusedByCloud('there is no region eu');
    await apply(cloudy());
    expect(await becomes('failed')).toMatchObject({ status_message: 'there is no region eu' });
    expect(detail(await submit('chat'))).toMatch(/Gateway edge has failed/);
    expect(detail(await apply(cloudy()))).toMatch(/has failed. Delete it/);
  });

  it('are changed in place as far as that goes', async () => {
    await apply(cloudy());
    const running = await becomes('running');
    expect((await project('gateways/set_wildcard_domain', { name: 'edge', wildcard_domain: 'new.example' })).body).toMatchObject({ wildcard_domain: 'new.example' }); // prettier-ignore
    expect((await project('gateways/set_wildcard_domain', { name: 'edge', wildcard_domain: 'a b' })).status).toBe(400);
    const grown = cloudy({ replicas: 2, domain: 'new.example' });
    expect((await project('gateways/get_plan', { spec: { configuration: grown } })).body).toMatchObject({ action: 'update' }); // prettier-ignore
    expect((await apply(grown)).status).toBe(400);
    expect((await apply(grown, running)).status).toBe(200);
    await until(get, ({ replicas = [] }) => replicas.filter(({ status }) => status === 'running').length === 2);
    expect(detail(await apply(cloudy({ region: 'us' }), running))).toMatch(/cannot be changed in place.*region/);

    await apply(own({ name: 'other', default: true }));
    expect((await get()).default).toBe(false);
    expect((await project('gateways/set_default', { name: 'edge' })).status).toBe(200);
    expect((await get()).default).toBe(true);
    expect((await project('gateways/set_default', { name: 'edge', gateway_project: 'ops' })).status).toBe(400);
    expect((await project('gateways/set_default', { name: 'nobody' })).status).toBe(400);
  });

  it('are chosen by services as they ask', async () => {
    expect(detail(await submit('early', { gateway: true }))).toMatch(/has none. Set one/);
    expect(detail(await submit('early', { gateway: 'edge' }))).toMatch(/Gateway edge does not exist/);
    expect(((await submit('here')).body as Wire.Run).service?.url).toBe('/proxy/services/main/here/');
    await apply(cloudy({ certificate: null }));
    expect(detail(await submit('early'))).toMatch(/not ready yet|No replica/);
    await becomes('running');
    expect(detail(await submit('early', { gateway: 'ops/edge' }))).toMatch(/Gateway ops\/edge does not exist/);
    expect(detail(await submit('early'))).toMatch(/The gateway has no certificate/);
    const url = async (name: string, more: object) => ((await submit(name, more)).body as Wire.Run).service?.url;
    expect(await url('aa', { gateway: false })).toBe('/proxy/services/main/aa/');
    expect(await url('bb', { gateway: 'edge', https: 'auto' })).toBe('http://bb.example.com/');
    expect(await url('cc', { gateway: 'main/edge', https: false })).toBe('http://cc.example.com/');
    expect(await url('dd', { gateway: true, https: false })).toBe('http://dd.example.com/');
    expect(detail(await submit('gateway', { https: false }))).toMatch(/give the service another name/);
  });

  it('hear of revoked tokens within seconds, and of members', async () => {
    await apply(own());
    await becomes('running');
    const access = () => world.gateway().access?.tokens ?? [];
    const admin = tokenHash(server.adminToken);
    await until(access, (tokens) => tokens.some(({ hash, projects }) => hash === admin && projects.includes('main')));
    await server.post('/api/users/create', { username: 'alice', global_role: 'user' });
    const { creds } = (await server.post('/api/users/get_user', { username: 'alice' })).body as Wire.UserWithCreds;
    const hash = tokenHash(creds.token);
    const projectsOf = async () => access().find((each) => each.hash === hash)?.projects ?? null;
    await until(projectsOf, (projects) => projects?.length === 0);
    await server.post('/api/projects/main/add_members', { members: [{ username: 'alice', project_role: 'user' }] });
    await until(projectsOf, (projects) => projects?.length === 1);
    await server.post('/api/users/refresh_token', { username: 'alice' });
    await until(projectsOf, (projects) => projects === null);
    // One beside the user's own, which ends by itself or when it is deleted.
    const made = await server.post('/api/users/tokens/create', { username: 'alice', name: 'ci', expires_in: 3_600 });
    const { token } = made.body as { token: string };
    const expiring = async () => access().find((each) => each.hash === tokenHash(token)) ?? null;
    const known = await until(expiring, (found) => found !== null);
    expect(known).toMatchObject({ projects: ['main'], expiresAt: expect.any(Number) as number });
    await server.post('/api/users/tokens/delete', { username: 'alice', names: ['ci'] });
    await until(expiring, (found) => found === null);
  });

  it('whose way breaks stay, are seen, and are told again of everything', async () => {
    await apply(own());
    await becomes('running');
    await submit('chat');
    const gateway = await until(
      () => world.gateway(),
      ({ state }) => state?.services.length === 1,
    );
    gateway.isCut = true;
    gateway.tell();
    const lost = await until(get, ({ replicas = [] }) => (replicas[0]?.status_message ?? null) !== null);
    expect(lost).toMatchObject({ status: 'running', replicas: [{ status: 'running' }] });
    // It was replaced by one that knows nothing, or by an older copy of this server's database.
    gateway.state = { ...(gateway.state ?? never()), services: [], revision: 1_000 };
    gateway.isCut = false;
    await until(
      () => gateway.state,
      (state) => state?.services.length === 1 && state.revision > 1_000,
    );
    await until(get, ({ replicas = [] }) => replicas[0]?.status_message === null);
  });

  it('tell what keeps services from being served, and what is asked of them', async () => {
    world.gateway().problems.set('chat.example.com', 'chat.example.com leads nowhere');
    await apply(own());
    await becomes('running');
    const { id } = (await submit('chat')).body as Wire.Run;
    await until(
      () => messages('run'),
      (texts) => texts.includes('The service has a problem at gateway edge, replica 0: chat.example.com leads nowhere'),
    );
    world.gateway().problems.clear();
    world.gateway().tell();
    await until(
      () => messages('run'),
      (texts) => texts.includes('The service is served by gateway edge, replica 0 again'),
    );
    world.gateway().traffic = [{ serviceId: id, traffic: { groups: {}, inFlight: {}, held: 1 }, seconds: [] }];
    world.gateway().tell();
    // Somebody waits: a replica is made for it.
    await until(
      async () => ((await project('runs/get', { run_name: 'chat' })).body as Wire.Run).jobs.length,
      (count) => count === 1,
    );
  });

  it('share their certificates, and the answers to challenges', async () => {
    const hosts = [HOST, { ...HOST, hostname: '198.51.100.5' }];
    await apply(own({ ssh_config: { user: 'me', hosts } }));
    await until(get, ({ replicas = [] }) => replicas.filter(({ status }) => status === 'running').length === 2);
    await submit('chat');
    const [first, second] = [world.gateway(0), world.gateway(1)];
    await until(
      () => [first, second],
      (both) => both.every(({ state }) => state?.services.length === 1 && state.acme?.shared === true),
    );
    expect([first, second].map(({ state }) => state?.acme?.issues)).toEqual([true, false]);
    const challenge = { host: 'chat.example.com', token: 'tok', keyAuthorization: 'tok.key' };
    first.challenges = [challenge];
    first.tell();
    await until(
      () => second.given,
      (given) => given.length === 1,
    );
    // All others have it.
    await until(
      () => first.given,
      (given) => given.length === 1,
    );
    const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----';
    first.challenges = [];
    first.certs = [{ host: 'chat.example.com', chain: pem, privateKey: pem.replaceAll('CERTIFICATE', 'PRIVATE KEY') }];
    first.tell();
    await until(
      () => second.certs,
      (certificates) => certificates.length === 1,
    );
  });
});

it('services without a gateway can be forbidden', async () => {
  const server = await startTestServer({
    backgroundProcessing: false,
    localBackend: false,
    runLimits: { ...(await limits()), forbidServicesWithoutGateway: true },
  });
  const run_spec = { run_name: 'chat', configuration: { type: 'service', port: 80, commands: ['x'] } };
  const reply = await server.post('/api/project/main/runs/apply', { plan: { run_spec }, force: false });
  expect([reply.status, JSON.stringify(reply.body)]).toEqual([400, expect.stringMatching(/does not serve services without a gateway/)]); // prettier-ignore
  await server.close();
});

async function limits() {
  const { readSettings } = await import('../src/settings/read-settings.js');
  return readSettings({}).settings.runLimits;
}

function never(): never {
  throw new Error('there is none');
}
