import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { giveGateways } from './support/gateway-world.js';
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
  it('has the server’s own machine, to which the server leads the gateway', async () => {
    offer('aws', 'local');
    for (const more of [{}, { gateway: false }]) expect(await planned(more)).toEqual([[['remote', 'aws'], []]]);
  });

  it('is refused as applying it would be', async () => {
    offer('aws');
    const reply = await plan({ gateway: 'other' });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('Gateway other does not exist')]);
  });
});
