import { startTestServer, type TestServer } from './support/start-test-server.js';

interface Plan {
  readonly job_plans: readonly {
    readonly offers: readonly object[];
    readonly rejections: readonly { readonly code: string; readonly example: string }[];
  }[];
}

describe('a plan without offers', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    const configuration = { type: 'fleet', name: 'spots', nodes: '0..1', spot_policy: 'spot' };
    const plan = { spec: { configuration, profile: {} } };
    expect(await server.post('/api/project/main/fleets/apply', { plan, force: false })).toMatchObject({ status: 200 });
  });
  afterAll(() => server.close());

  const reasons = async (more: object): Promise<string[]> => {
    const configuration = { type: 'task', commands: ['train'], ...more };
    const plan = await server.post('/api/project/main/runs/get_plan', { run_spec: { configuration } });
    expect(plan).toMatchObject({ status: 200, body: { job_plans: [{ offers: [] }] } });
    return (plan.body as Plan).job_plans.flatMap(({ rejections }) => rejections.map(({ example }) => example));
  };

  it('says which named fleet does not exist', async () => {
    expect(await reasons({ fleets: ['nope'] })).toEqual(['fleet nope: does not exist']);
  });

  it('says what a fleet has against the run', async () => {
    const [first, ...others] = await reasons({ fleets: ['spots'], spot_policy: 'on-demand' });
    expect(first).toMatch(/^fleet spots: .*spot/);
    expect(others).toEqual([]);
  });

  it('says first that nobody knows a GPU of the name', async () => {
    const [first] = await reasons({ resources: { gpu: 'nvdia' } });
    expect(first).toBe('no GPU called nvdia is known, did you mean nvidia?');
  });

  it('says that nothing is created where only what is there may be used', async () => {
    const told = await reasons({ fleets: ['spots'], spot_policy: 'spot', creation_policy: 'reuse' });
    expect(told).toEqual(['fleet spots: nothing is created, as creation_policy is reuse']);
  });
});
