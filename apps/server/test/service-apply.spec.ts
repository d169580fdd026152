import type { Wire } from '@dstack/core';
import { startTestServer, type TestServer } from './support/start-test-server.js';

describe('a service that is applied', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ backgroundProcessing: false, localBackend: false });
  });
  afterAll(() => server.close());

  const apply = (name: string, more: object, current: Wire.Run | null = null) =>
    server.post('/api/project/main/runs/apply', {
      plan: {
        run_spec: { run_name: name, configuration: { type: 'service', port: 8000, commands: ['serve'], ...more } },
        current_resource: current,
      },
      force: false,
    });
  const row = async (name: string) => {
    const [run] = await server.db.read((tx) =>
      tx.query<{ former_run_spec: string | null; deployment_num: number }>(
        'SELECT former_run_spec, deployment_num FROM runs WHERE name = ?',
        [name],
      ),
    );
    return run;
  };

  it('has its addresses and the replicas that each group has at least', async () => {
    const reply = await apply('chat', {
      model: 'llama',
      groups: [
        { name: 'small', replicas: '1..3', scaling: { metric: 'rps', target: 1 }, commands: ['serve'] },
        { name: 'big', replicas: 2, commands: ['serve'] },
      ],
      commands: [],
    });
    const run = reply.body as Wire.Run;
    expect(run.service).toEqual({
      url: '/proxy/services/main/chat/',
      model: { name: 'llama', base_url: '/proxy/services/main/chat/v1', type: 'chat' },
      options: {},
    });
    expect(run.jobs.map(({ job_spec: spec }) => [spec.replica_num, spec.replica_group])).toEqual([
      [0, 'small'],
      [1, 'big'],
      [2, 'big'],
    ]);
    expect(run.jobs[0]?.job_submissions[0]).toMatchObject({ probes: [], ready: false });
  });

  it('is refused at the plan where nobody can serve it', async () => {
    const groups = [{ name: 'front', replicas: 1, commands: ['serve'], router: { type: 'dynamo' } }];
    const profile = { name: 'p', retry: true };
    const run_spec = { run_name: 'routed', configuration: { type: 'service', port: 8000, groups }, profile };
    const reply = await server.post('/api/project/main/runs/get_plan', { run_spec });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('A dynamo router is not retried')]);
  });

  it('keeps what serves as long as an update that replaces it is under way', async () => {
    const run = (await apply('web', { replicas: 1 })).body as Wire.Run;
    const more = (await apply('web', { replicas: 2 }, run)).body as Wire.Run;
    expect(await row('web')).toEqual({ former_run_spec: null, deployment_num: 1 });
    const anew = (await apply('web', { replicas: 2, commands: ['serve', 'anew'] }, more)).body as Wire.Run;
    const former = (await row('web'))?.former_run_spec ?? '';
    expect(JSON.parse(former)).toMatchObject({ configuration: { commands: ['serve'] } });
    await apply('web', { replicas: 2, commands: ['serve', 'again'] }, anew);
    expect(await row('web')).toEqual({ former_run_spec: former, deployment_num: 3 });
  });

  it.each([
    ['a gateway', { gateway: 'public' }, /Gateway public does not exist/],
    ['the default gateway', { gateway: true }, /asks for the default gateway/],
    ['a limit of requests', { rate_limits: [{ rps: 1 }] }, /rate_limits|Rate limits|gateway/],
  ])('is refused with a sentence when it needs %s', async (_what, more, sentence) => {
    const reply = await apply('refused', more);
    expect(reply.status).toBe(400);
    expect(JSON.stringify(reply.body)).toMatch(sentence);
  });
});
