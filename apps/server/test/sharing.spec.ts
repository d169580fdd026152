import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Wire } from '@dstack/core';
import { PlacementCommit } from '../src/placement/placement-commit.js';
import { PlacementPass } from '../src/placement/placement-pass.js';
import { giveHosts } from './support/given-hosts.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

describe.each(testDatabases())('sharing on $name', (database) => {
  let server: TestServer;
  const tokens = new Map<string, string>();
  let count = 0;
  let runs = 0;

  beforeAll(async () => {
    const settings = { backgroundProcessing: false, localBackend: false, database: await database.location() };
    server = await startTestServer(settings);
    await giveHosts(server, 'lab', { 'h-1': { blocks: 2 } });
    for (const project of ['team', 'other']) {
      const owner = `${project}-admin`;
      await must('/api/users/create', { username: owner, global_role: 'user' });
      const user = (await must('/api/users/get_user', { username: owner })) as Wire.UserWithCreds;
      tokens.set(project, user.creds.token);
      await must('/api/projects/create', { project_name: project }, user.creds.token);
    }
  }, 60_000);
  afterAll(() => server.close());

  async function must(path: string, body?: unknown, token?: string): Promise<unknown> {
    const reply = await server.post(path, body, token);
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
    return reply.body;
  }
  const asTeam = (path: string, body?: unknown) => server.post(path, body, tokens.get('team'));
  const share = (more: object = {}) => {
    count += 1;
    const name = `share-${count}`;
    return must('/api/project/main/exports/create', {
      name,
      importer_projects: ['Team'],
      exported_fleets: ['lab'],
      ...more,
    });
  };
  const withdraw = () => must('/api/project/main/exports/delete', { name: `share-${count}` });
  const place = () => server.app.get(PlacementPass, { strict: false }).run({ hasNews: true });
  const events = async (): Promise<string> => JSON.stringify(await must('/api/events/list', { limit: 100 }));

  async function submit(fleets: string[] | null): Promise<string> {
    runs += 1;
    const name = `run-${runs}`;
    const configuration = { type: 'task', name, commands: ['true'], ...(fleets === null ? {} : { fleets }) };
    await must(
      '/api/project/team/runs/apply',
      { plan: { run_spec: { configuration } }, force: false },
      tokens.get('team'),
    );
    return name;
  }
  async function job(run: string) {
    const found = (await must('/api/project/team/runs/get', { run_name: run }, tokens.get('team'))) as Wire.Run;
    return found.jobs[0]?.job_submissions.at(-1);
  }

  it('shows on both sides what is shared, by the names of projects whatever their case', async () => {
    expect(await share()).toMatchObject({
      name: `share-${count}`,
      is_global: false,
      imports: [{ project_name: 'team' }],
      exported_fleets: [{ name: 'lab' }],
      exported_gateways: [],
    });
    const imports = (await asTeam('/api/project/team/imports/list')).body;
    expect(imports).toMatchObject([
      { export: { name: `share-${count}`, project_name: 'main', exported_fleets: [{ name: 'lab' }] } },
    ]);
    const named = (list: unknown) => (list as Wire.Fleet[]).map((fleet) => `${fleet.project_name}/${fleet.name}`);
    const list = (body: object) => asTeam('/api/project/team/fleets/list', body);
    expect(named((await list({ include_imported: true })).body)).toEqual(['main/lab']);
    expect(named((await list({})).body)).toEqual([]);
    const everywhere = await asTeam('/api/fleets/list', { include_imported: true, project_name: 'team' });
    expect(named(everywhere.body)).toEqual(['main/lab']);
    const instances = await asTeam('/api/instances/list', { include_imported: true });
    expect(instances.body).toMatchObject([{ name: 'lab-0', project_name: 'main' }]);
    expect((await asTeam('/api/instances/list', {})).body).toEqual([]);
    await withdraw();
    expect((await asTeam('/api/project/team/imports/list')).body).toEqual([]);
  });

  it('lets importers read what is shared with them in its project, change nothing, and nobody else in', async () => {
    await share();
    const fleet = await asTeam('/api/project/main/fleets/get', { name: 'lab' });
    expect(fleet).toMatchObject({ status: 200, body: { name: 'lab', project_name: 'main' } });
    const [instance] = (fleet.body as Wire.Fleet).instances;
    expect((await asTeam('/api/project/main/instances/get', { id: instance?.id })).status).toBe(200);
    expect((await asTeam('/api/project/main/fleets/get', { name: 'private' })).status).toBe(400);
    expect((await asTeam('/api/project/main/fleets/delete', { names: ['lab'] })).status).toBe(403);
    expect((await asTeam('/api/project/main/fleets/list', {})).status).toBe(403);
    expect((await asTeam('/api/project/team/fleets/delete', { names: ['main/lab'] })).status).toBe(400);
    expect((await server.post('/api/project/main/fleets/get', { name: 'lab' }, tokens.get('other'))).status).toBe(403);
    await withdraw();
    expect((await asTeam('/api/project/main/fleets/get', { name: 'lab' })).status).toBe(403);
  });

  it('runs jobs of importers on shared hosts, side by side, and ends them when it is withdrawn', async () => {
    await share();
    const byName = await submit(['main/lab']);
    const anywhere = await submit(null);
    await place();
    for (const run of [byName, anywhere]) expect(await job(run)).toMatchObject({ status: 'submitted' });
    const usage = (await must('/api/project/main/fleets/get', { name: 'lab' })) as Wire.Fleet;
    expect(usage.instances).toMatchObject([{ status: 'busy', busy_blocks: 2 }]);
    const refused = await server.post('/api/project/main/fleets/delete', { names: ['lab'] });
    expect(refused.text).toContain(`team/${byName}`);

    await withdraw();
    for (const run of [byName, anywhere])
      expect(await job(run)).toMatchObject({
        status: 'terminating',
        termination_reason: 'instance_access_revoked',
        termination_reason_message: 'fleet main/lab is no longer shared with this project',
      });
    expect(await events()).toContain('INSTANCE_ACCESS_REVOKED');
    await server.db.write(async (tx) => {
      await tx.execute(`UPDATE jobs SET status = 'failed', instance_id = NULL`);
      await tx.execute(`UPDATE instances SET status = 'idle', busy_blocks = 0`);
    });
  });

  it('does not seat a job on what was withdrawn after placement looked', async () => {
    await share();
    const run = await submit(['main/lab']);
    const commit = server.app.get(PlacementCommit, { strict: false });
    const seat = commit.seat.bind(commit);
    commit.seat = async (tx, ...rest) => {
      await tx.execute('DELETE FROM exports');
      await seat(tx, ...rest);
    };
    await place();
    commit.seat = seat;
    expect(await job(run)).toMatchObject({ status: 'submitted' });
    await withdraw(); // the transaction that found it gone was taken back
    await place();
    expect((await job(run))?.termination_reason).toBe('failed_to_start_due_to_no_capacity');
  });

  it('answers a fleet that is not shared as one that is not there', async () => {
    const configuration = (fleet: string) => ({ type: 'task', commands: ['true'], fleets: [fleet] });
    const apply = (fleet: string) =>
      asTeam('/api/project/team/runs/apply', {
        plan: { run_spec: { configuration: configuration(fleet) } },
        force: false,
      });
    const [there, missing] = [await apply('main/lab'), await apply('main/none')];
    expect(there.status).toBe(400);
    expect(there.text.replace('main/lab', '')).toBe(missing.text.replace('main/none', ''));
  });

  it.each<[string, object, number, string]>([
    ['a name that is taken', { name: 'taken' }, 400, 'exists'],
    ['a name that is none', { name: 'Taken_' }, 400, 'must match'],
    ['itself', { importer_projects: ['main'] }, 400, 'cannot import from itself'],
    ['a project twice', { importer_projects: ['team', 'TEAM'] }, 400, 'named twice'],
    ['a project that is not there', { importer_projects: ['nowhere'] }, 400, 'not found'],
    ['a fleet that is not there', { exported_fleets: ['nothing'] }, 400, 'Fleet nothing not found'],
    ['a fleet of a cloud', { exported_fleets: ['cloud'] }, 400, 'only those can be shared'],
    ['a gateway that is not there', { exported_gateways: ['g'] }, 400, 'Gateway g not found'],
    ['everybody and somebody', { is_global: true }, 400, 'neither added nor removed'],
  ])('refuses %s', async (_what, more, status, message) => {
    await server.post('/api/project/main/exports/create', { name: 'taken' });
    const spec = { configuration: { type: 'fleet', name: 'cloud', nodes: '0..1' }, profile: { name: 'default' } };
    await server.post('/api/project/main/fleets/apply', { plan: { spec }, force: false });
    const body = { name: 'fresh', importer_projects: ['team'], ...more };
    const reply = await server.post('/api/project/main/exports/create', body);
    expect(reply.status).toBe(status);
    expect(reply.text).toContain(message);
    expect(JSON.stringify(await must('/api/project/main/exports/list'))).not.toContain('fresh');
  });

  it('needs an admin of both projects, and a global one to share with all', async () => {
    const create = (more: object) => asTeam('/api/project/team/exports/create', { name: 'mine', ...more });
    expect((await create({ importer_projects: ['other'] })).status).toBe(403);
    expect((await create({ importer_projects: ['nowhere'] })).status).toBe(403);
    expect((await create({ is_global: true })).status).toBe(403);
    expect((await create({})).status).toBe(200);
    expect((await asTeam('/api/project/team/exports/update', { name: 'mine', set_global: true })).status).toBe(403);
  });

  it('adds and removes one by one, and tells what was before and what is after', async () => {
    await share();
    const name = `share-${count}`;
    const update = (more: object) => server.post('/api/project/main/exports/update', { name, ...more });
    expect((await update({ add_importer_projects: ['other'], remove_exported_fleets: ['lab'] })).body).toMatchObject({
      imports: [{ project_name: 'other' }, { project_name: 'team' }],
      exported_fleets: [],
    });
    expect((await update({ add_importer_projects: ['other'] })).text).toContain('imports share');
    expect((await update({ remove_exported_fleets: ['lab'] })).text).toContain('is not in export');
    expect((await update({ remove_importer_projects: ['main'] })).text).toContain('does not import');
    expect(await events()).toContain(
      'Before: fleets lab; gateways none; importers team. After: fleets none; gateways none; importers other, team',
    );
    expect((await asTeam('/api/project/team/imports/delete', { export_project_name: 'main', export_name: name })).status).toBe(200); // prettier-ignore
    expect((await asTeam('/api/project/team/imports/delete', { export_project_name: 'main', export_name: name })).status).toBe(400); // prettier-ignore
    await withdraw();
  });

  it('shares with all projects, also with those to come, until it is deleted', async () => {
    await share({ is_global: true, importer_projects: [] });
    await must('/api/projects/create', { project_name: 'later' });
    const imports = async (project: string) =>
      ((await must(`/api/project/${project}/imports/list`)) as Wire.Import[]).map((each) => each.export.name);
    expect(await imports('team')).toEqual([`share-${count}`]);
    expect(await imports('later')).toEqual([`share-${count}`]);
    expect(await imports('main')).toEqual([]);
    const body = { export_project_name: 'main', export_name: `share-${count}` };
    expect((await asTeam('/api/project/team/imports/delete', body)).text).toContain('shared with every project');
    await must('/api/project/main/exports/update', { name: `share-${count}`, unset_global: true });
    expect(await imports('later')).toEqual([`share-${count}`]);
    await withdraw();
    expect(await imports('later')).toEqual([]);
  });
});
