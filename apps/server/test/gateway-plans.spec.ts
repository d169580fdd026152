import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { giveGateways } from './support/gateway-world.js';
import { giveHosts } from './support/given-hosts.js';
import { offerTo, someOffer } from './support/offered-backend.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';

interface Plan {
  readonly job_plans: readonly (Pick<Wire.JobPlan, 'offers'> & {
    readonly rejections: readonly { readonly example: string }[];
    readonly backend_warnings: readonly string[];
  })[];
}

describe('the plan of a service behind a gateway', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ localBackend: false });
    giveGateways(server);
    const configuration = { type: 'gateway', name: 'edge', backend: 'aws', region: 'eu', domain: 'example.com' };
    await project('gateways/create', { configuration });
    await until(async () => ((await project('gateways/get', { name: 'edge' })).body as Wire.Gateway).status === 'running'); // prettier-ignore
  });
  afterEach(() => server.close());

  const project = (path: string, body: object = {}) => server.post(`/api/project/main/${path}`, body);
  const until = async (isIt: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; tries < 600; tries += 1) {
      if (await isIt()) return;
      await sleep(25);
    }
    throw new Error('it never came');
  };
  const offer = (...backends: ('aws' | 'local')[]) =>
    offerTo(server, () => backends.map((backend) => someOffer({ backend, price: backend === 'local' ? 0 : 1 })), backends); // prettier-ignore
  const resources = { cpu: '1..', memory: '0.1GB..', disk: null };
  const spec = (more: object = {}) => ({
    run_spec: {
      run_name: 'web',
      configuration: { type: 'service', port: 80, commands: ['serve'], resources, ...more },
    },
  });
  const plan = (more: object = {}) => project('runs/get_plan', spec(more));
  const planned = async (more: object = {}) =>
    ((await plan(more)).body as Plan).job_plans.map(({ offers, backend_warnings: warnings }) => [
      offers.map(({ backend }) => backend),
      warnings,
    ]);
  const LEFT_OUT = 'local: left out, as gateway edge reaches no replica there';

  it('leaves the server’s own machine out, and says so', async () => {
    offer('aws', 'local');
    expect(await planned()).toEqual([[['aws'], [LEFT_OUT]]]);
    expect(await planned({ gateway: false })).toEqual([[['remote', 'aws'], []]]);
    expect(await planned({ backends: ['aws'] })).toEqual([[['aws'], []]]);
  });

  it('is refused where there is nothing else, with what to do', async () => {
    offer('local');
    for (const more of [{}, { backends: ['remote'] }]) {
      const reply = await plan(more);
      expect([reply.status, reply.text]).toEqual([400, expect.stringMatching(/edge reaches no replica on local. Set `gateway: false`/)]); // prettier-ignore
    }
    expect((await plan({ gateway: false })).status).toBe(200);
  });

  it('is one of waiting where hosts are away, or have no room', async () => {
    await giveHosts(server, 'lab', { '127.0.0.1': { cpus: 1 } });
    const pool = { configuration: { type: 'fleet', name: 'pool', nodes: '0..1' }, profile: { name: 'default' } };
    await project('fleets/apply', { plan: { spec: pool }, force: false });
    offer('local');
    const wide = { resources: { ...resources, cpu: '4..' } };
    expect(await planned(wide)).toEqual([[[], [LEFT_OUT]]]);
    await server.db.write((tx) => tx.execute(`UPDATE instances SET status = 'pending', offer = NULL`, []));
    expect(await planned(wide)).toEqual([[[], [LEFT_OUT]]]);
    expect(await planned({ ...wide, fleets: ['lab'] })).toEqual([[[], []]]);
    expect((await plan({ ...wide, fleets: ['pool'] })).status).toBe(400);
  });

  it('has the server’s machine for workers, whom only their router asks', async () => {
    offer('aws', 'local');
    const group = (name: string, more: object = {}) => ({ name, replicas: 1, commands: ['serve'], resources, ...more });
    const groups = [group('front', { router: { type: 'sglang' } }), group('work')];
    const [front, work] = await planned({ commands: [], resources: null, groups });
    expect([front, work]).toEqual([
      [['aws'], [LEFT_OUT]],
      [['remote', 'aws'], []],
    ]);
  });

  it('is refused as applying it would be', async () => {
    offer('aws');
    const reply = await plan({ gateway: 'other' });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('Gateway other does not exist')]);
  });

  it('is what placement does, when nobody looked at one', async () => {
    offer('local');
    const { status } = await project('runs/apply', { plan: { ...spec(), current_resource: null }, force: false });
    expect(status).toBe(200);
    const get = async () => (await project('runs/get', { run_name: 'web' })).body as Wire.Run;
    await until(async () => ['failed', 'terminated'].includes((await get()).status));
    const { latest_job_submission: last } = await get();
    expect(last).toMatchObject({
      termination_reason: 'failed_to_start_due_to_no_capacity',
      termination_reason_message: expect.stringContaining('backend local has no way for gateways') as string,
    });
  });
});
