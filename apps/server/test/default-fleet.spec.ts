import type { Wire } from '@dstack/core';
import { PlacementPass } from '../src/placement/placement-pass.js';
import { offerTo, someOffer } from './support/offered-backend.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

const configuration = { type: 'task', commands: ['true'], resources: { cpu: '1..', memory: '0.1GB..', disk: null } };

describe.each(testDatabases())('the default fleet on $name', ({ location }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ database: await location(), backgroundProcessing: false, localBackend: false });
    offerTo(server, () => [someOffer()]);
  });
  afterAll(() => server.close());

  const project = (path: string, body: object) => server.post(`/api/project/main/${path}`, body);
  const fleets = async () => (await project('fleets/list', {})).body as Wire.Fleet[];
  const plan = async (more: object = {}) =>
    (await project('runs/get_plan', { run_spec: { configuration: { ...configuration, ...more } } })).body as Wire.RunPlan; // prettier-ignore
  const apply = (name: string, more: object = {}) =>
    project('runs/apply', { plan: { run_spec: { run_name: name, configuration: { ...configuration, ...more } } }, force: false }); // prettier-ignore
  const place = () => server.app.get(PlacementPass).run({ hasNews: true });

  it('is shown by a plan as if it were there, and made by none', async () => {
    expect((await plan()).job_plans[0]?.offers).toHaveLength(1);
    expect((await plan({ fleets: ['default'] })).job_plans[0]?.offers).toHaveLength(1);
    expect((await plan({ fleets: ['other'] })).job_plans[0]?.offers).toHaveLength(0);
    expect(await fleets()).toEqual([]);
  });

  it('is made when the first run is submitted, once', async () => {
    expect((await apply('first')).status).toBe(200);
    expect((await apply('second')).status).toBe(200);
    expect(await fleets()).toMatchObject([{ name: 'default', status: 'active', spec: { autocreated: true } }]);
    await place();
    const { body } = await project('runs/get', { run_name: 'first' });
    expect(body).toMatchObject({ fleet: { name: 'default' } });
  });

  it('can be deleted like any other, and comes back when it is needed', async () => {
    await project('runs/stop', { runs_names: ['first', 'second'], abort: true });
    await server.db.write(async (tx) => {
      await tx.execute(`UPDATE runs SET status = 'terminated'`);
      await tx.execute(`UPDATE jobs SET status = 'terminated', instance_id = NULL`);
      await tx.execute(`UPDATE instances SET status = 'terminated', deleted = ?, busy_blocks = 0`, [true]);
    });
    expect((await project('fleets/delete', { names: ['default'] })).status).toBe(200);
    expect((await apply('third')).status).toBe(200);
    await place();
    const waits = await project('runs/get', { run_name: 'third' });
    expect(waits.body).toMatchObject({ fleet: null, status: 'submitted' });
    await server.db.write((tx) => tx.execute(`UPDATE fleets SET status = 'terminated', deleted = ?`, [true]));
    await place();
    expect((await project('runs/get', { run_name: 'third' })).body).toMatchObject({ fleet: { name: 'default' } });
    expect(await fleets()).toHaveLength(1);
  });

  it('refuses fleets of other projects with a sentence', async () => {
    const reply = await apply('foreign', { fleets: ['other/lab'] });
    expect(reply.status).toBe(400);
    expect(reply.text).toContain('Fleet other/lab is not shared with project main');
  });

  it('does not keep its project from being deleted', async () => {
    await server.post('/api/projects/create', { project_name: 'gone' });
    const run_spec = { run_name: 'short', configuration };
    await server.post('/api/project/gone/runs/apply', { plan: { run_spec }, force: false });
    await server.db.write(async (tx) => {
      await tx.execute(`UPDATE runs SET status = 'done'`);
      await tx.execute(`UPDATE instances SET status = 'terminated'`);
    });
    expect((await server.post('/api/projects/delete', { projects_names: ['gone'] })).status).toBe(200);
  });
});
