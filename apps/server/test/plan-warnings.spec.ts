import { startTestServer, type TestServer } from './support/start-test-server.js';

describe('the plan of a run that can be placed, but will not start', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    await server.post('/api/project/main/secrets/create_or_update', { name: 'known', value: 'v' });
  });
  afterAll(() => server.close());

  it('names the secrets that the project has not got', async () => {
    const configuration = {
      type: 'task',
      commands: ['train'],
      env: { A: '${{ secrets.known }}', B: '${{ secrets.gone }}' },
    };
    const plan = await server.post('/api/project/main/runs/get_plan', { run_spec: { configuration } });
    expect(plan).toMatchObject({
      status: 200,
      body: { job_plans: [{ warnings: [expect.stringMatching(/no secret gone: .*dstack secret set gone$/)] }] },
    });
  });
});
