import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { ServerIdentity } from '../src/reconcile/server-identity.js';
import { Wake } from '../src/reconcile/wake.js';
import { giveHosts } from './support/given-hosts.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';
import { giveVolumes, refusal, VolumeCloud } from './support/volume-cloud.js';

type Run = Wire.Run & { pending_reasons: string[] };
type Volume = Wire.Volume & { readonly status_display: string; readonly last_error: string | null };

describe.each(testDatabases())('runs that mount network volumes on $name', ({ location }) => {
  let server: TestServer;
  let cloud: VolumeCloud;
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), localBackend: false });
    cloud = new VolumeCloud();
    giveVolumes(server, cloud);
  });
  afterEach(() => server.close());

  const project = (path: string, body: object = {}) => server.post(`/api/project/main/${path}`, body);
  const until = async <T>(look: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const value = await look();
      if (isIt(value)) return value;
      await sleep(25);
    }
    throw new Error(`it never came: ${JSON.stringify(await look())}`);
  };
  const volume = async (name = 'data') => (await project('volumes/get', { name })).body as Volume;
  const create = async (name = 'data', more: object = {}) => {
    await project('volumes/create', {
      configuration: { type: 'volume', backend: 'aws', name, region: 'eu', size: 1, ...more },
    });
    return until(
      () => volume(name),
      ({ status }) => status === 'active' || status === 'failed',
    );
  };
  const spec = (name: string, more: object = {}) => {
    const resources = { cpu: '1..', memory: '0.1GB..', disk: null };
    return {
      run_name: name,
      configuration: { type: 'task', commands: ['true'], resources, volumes: ['data:/data'], ...more },
    };
  };
  const apply = (name: string, more: object = {}) =>
    project('runs/apply', { plan: { run_spec: spec(name, more) }, force: false });
  const run = async (name: string) => (await project('runs/get', { run_name: name })).body as Run;
  const submission = async (name: string) => (await run(name)).latest_job_submission;
  /** Machines of the cloud, in a zone each, with an agent that nobody can speak to: their jobs wait to be started. */
  const haveMachines = async (...zones: string[]) => haveFleet({}, zones);
  const haveFleet = async (fleet: object, zones: readonly string[]) => {
    const hosts = Object.fromEntries(zones.map((_zone, index) => [`127.0.0.${index + 1}`, {}]));
    await giveHosts(server, 'pool', hosts, fleet);
    for (const [index, zone] of zones.entries())
      await server.db.write((tx) => {
        const machine = {
          ref: { cloudName: `m${index}`, machineId: `i-${index}`, region: 'eu', zone, backendData: null },
          state: 'ready',
        };
        return tx.execute(
          `UPDATE instances SET backend_type = 'aws', region = 'eu', zone = ?, host_name = NULL, machine = ?, connection_holder = ? WHERE instance_num = ?`,
          [zone, JSON.stringify(machine), server.app.get(ServerIdentity).holder, index],
        );
      });
  };
  const at = async (name: string) => {
    const [row] = await server.db.read((tx) =>
      tx.query<{ name: string }>(
        `SELECT i.name FROM jobs j JOIN instances i ON i.id = j.instance_id JOIN runs r ON r.id = j.run_id WHERE r.name = ?`,
        [name],
      ),
    );
    return row?.name ?? null;
  };
  const attachedTo = (id: string | null | undefined) => cloud.volumes.get(id ?? '')?.attachedTo ?? null;

  it('go where their volume is, which is attached before they start and detached after they ended', async () => {
    const { volume_id: id } = await create();
    await haveMachines('eu-b', 'eu-a');
    await apply('train');
    expect(
      await until(
        () => at('train'),
        (name) => name !== null,
      ),
    ).toBe('pool-1');
    expect(await until(volume, ({ status_display: state }) => state === 'attached')).toMatchObject({
      attachments: [
        {
          instance: { name: 'pool-1', fleet_name: 'pool', instance_num: 1 },
          attachment_data: { device_name: '/dev/sdf' },
        },
      ],
    });
    expect(attachedTo(id)).toBe('i-1');
    expect((await project('volumes/delete', { names: ['data'] })).text).toContain(
      'Volume data is in use by train (pool-1)',
    );
    await project('runs/stop', { runs_names: ['train'], abort: true });
    await until(
      () => run('train'),
      ({ status }) => status === 'terminated',
    );
    expect([attachedTo(id), (await volume()).attachments]).toEqual([null, []]);
    const events = (await server.post('/api/events/list', { include_target_types: ['volume'], ascending: true }))
      .body as Wire.Event[];
    expect(events.map(({ message }) => message).slice(-2)).toEqual(['Volume attached', 'Volume detached']);
  });

  it('are refused while another run has the volume, with its name, and come back when it is free', async () => {
    await create();
    await haveMachines('eu-a', 'eu-a');
    await apply('train');
    await until(volume, ({ status_display: state }) => state === 'attached');
    await apply('impatient');
    const ended = await until(
      () => run('impatient'),
      ({ status }) => status === 'failed',
    );
    expect(ended.latest_job_submission).toMatchObject({
      termination_reason: 'failed_to_start_due_to_no_capacity',
      termination_reason_message: 'volume data is used by run train on pool-0, and can be at one machine at a time',
    });
    const plan = (await project('runs/get_plan', { run_spec: spec('other') })).body as {
      job_plans: { offers: object[]; rejections: object[] }[];
    };
    expect(plan.job_plans[0]).toMatchObject({ offers: [], rejections: [{ code: 'volumes' }] });
    await apply('patient', { retry: true });
    await until(
      () => run('patient'),
      ({ status }) => status === 'pending',
    );
    expect((await run('patient')).pending_reasons).toEqual([
      'volume data is used by run train on pool-0, and can be at one machine at a time',
    ]);
    await project('runs/stop', { runs_names: ['train'], abort: true });
    expect(
      await until(
        () => at('patient'),
        (name) => name !== null,
      ),
    ).toMatch(/pool-/);
  });

  it('wait for a volume that is being created or detached', async () => {
    cloud.failures.push({ call: 'create', error: refusal('outage', 'EBS is slow') });
    await project('volumes/create', {
      configuration: { type: 'volume', backend: 'aws', name: 'data', region: 'eu', size: 1 },
    });
    await haveMachines('eu-a');
    await apply('train');
    const waiting = await until(
      () => run('train'),
      ({ pending_reasons: reasons }) => reasons.length > 0,
    );
    expect([waiting.status, waiting.pending_reasons]).toEqual(['submitted', ['volume data is being created']]);
    expect(
      await until(
        () => at('train'),
        (name) => name !== null,
      ),
    ).toBe('pool-0');
  }, 30_000);

  it('fail with what the cloud says when it does not attach the volume', async () => {
    await create();
    await haveMachines('eu-a');
    cloud.failures.push({ call: 'attach', error: refusal('rejected', 'VolumeInUse: vol-1 is attached to i-other') });
    await apply('train');
    await until(
      () => run('train'),
      ({ status }) => status === 'failed',
    );
    expect(await submission('train')).toMatchObject({
      termination_reason: 'volume_error',
      termination_reason_message: 'volume data could not be attached: VolumeInUse: vol-1 is attached to i-other',
    });
    expect((await volume()).attachments).toEqual([]);
  });

  it.each([
    ['passes by itself', refusal('outage', 'IncorrectState: not running'), 'ready'],
    ['was refused for a machine that is gone', refusal('not-found', 'InvalidInstanceID.NotFound'), 'gone'],
  ] as const)('try again to attach what %s', async (_what, error, machineState) => {
    await create();
    await haveMachines('eu-a');
    cloud.machineState = machineState;
    cloud.failures.push({ call: 'attach', error });
    await apply('train');
    await until(volume, ({ status_display: state }) => state === 'attached');
    expect(cloud.calls.filter((call) => call === 'attach')).toHaveLength(2);
  });

  it('keep their machine, and say so, while the volume is stuck there', async () => {
    const { volume_id: id } = await create();
    await haveMachines('eu-a');
    await apply('train');
    await until(volume, ({ status_display: state }) => state === 'attached');
    cloud.isStuck = true;
    await project('runs/stop', { runs_names: ['train'], abort: true });
    await until(volume, ({ status_display: state }) => state === 'detaching');
    const stuck = await run('train');
    expect([stuck.status, stuck.latest_job_submission?.error]).toEqual([
      'terminating',
      'volume data is being detached',
    ]);
    expect(await at('train')).toBe('pool-0');
    // A minute later it is taken by force, as the run was aborted.
    await server.db.write(async (tx) => {
      await tx.execute('UPDATE volume_attachments SET released_at = released_at - 60000', []);
      await server.app.get(Wake).rows(tx, 'volumes', (await tx.query<{ id: string }>('SELECT id FROM volumes')).map((row) => row.id)); // prettier-ignore
    });
    await until(
      () => run('train'),
      ({ status }) => status === 'terminated',
    );
    expect([attachedTo(id), cloud.calls.at(-1)]).toEqual([null, 'force-detach']);
  });

  it('ask for a volume only once more after a call that nobody heard of: the next one may be lost too', async () => {
    await create();
    await haveMachines('eu-a');
    await apply('train');
    await until(volume, ({ status_display: state }) => state === 'attached');
    const wakeVolume = (sql: string) =>
      server.db.write(async (tx) => {
        await tx.execute(sql, []);
        await server.app.get(Wake).rows(tx, 'volumes', (await tx.query<{ id: string }>('SELECT id FROM volumes')).map((row) => row.id)); // prettier-ignore
      });
    const minutesAgo = String(Date.now() - 60_000);
    await wakeVolume(`UPDATE volume_attachments SET unanswered_at = ${minutesAgo}`);
    await project('runs/stop', { runs_names: ['train'], abort: true });
    const waiting = 'volume data is being detached: an earlier call to the cloud had no answer, and may still arrive';
    await until(
      () => run('train'),
      ({ latest_job_submission: job }) => job?.error === waiting,
    );
    // Whoever looks again does not ask again.
    await wakeVolume('UPDATE volumes SET next_due_at = NULL');
    await until(
      async () => (await server.db.read((tx) => tx.query<{ due: number | null }>('SELECT next_due_at AS due FROM volumes')))[0]?.due ?? 0,
      (due) => due > Date.now() + 60_000,
    ); // prettier-ignore
    expect(cloud.calls.filter((call) => call === 'detach')).toHaveLength(1);
    await wakeVolume(`UPDATE volume_attachments SET unanswered_at = unanswered_at - 100000, trouble = NULL`);
    await until(
      () => run('train'),
      ({ status }) => status === 'terminated',
    );
  });

  it('get one of several, of those that are free', async () => {
    await create('data-a');
    cloud.zone = 'eu-b';
    await create('data-b');
    await haveMachines('eu-b');
    await apply('train', { volumes: [{ name: ['data-a', 'data-b'], path: '/data' }] });
    await until(
      () => volume('data-b'),
      ({ status_display: state }) => state === 'attached',
    );
    expect((await volume('data-a')).attachments).toEqual([]);
  });

  it('have one for each node', async () => {
    await create('data-0');
    await create('data-1');
    await haveFleet({ placement: 'cluster' }, ['eu-a', 'eu-a']);
    await apply('gang', { nodes: 2, volumes: ['data-${{ dstack.node_rank }}:/data'] });
    for (const name of ['data-0', 'data-1'])
      await until(
        () => volume(name),
        ({ status_display: state }) => state === 'attached',
      );
    const homes = [await volume('data-0'), await volume('data-1')].map(
      ({ attachments }) => attachments?.[0]?.instance.name,
    );
    expect(new Set(homes).size).toBe(2);
  });

  it.each([
    [{ volumes: ['missing:/data'] }, /Volume missing does not exist/],
    [{ nodes: 2 }, /Volume data can be at one machine at a time, and 2 jobs of this run mount it/],
    [{ volumes: ['data:/a', 'data:/b'] }, /Volume data is mounted twice/],
    [{ volumes: ['data:/a', 'far:/b'] }, /must be in the same backends and regions/],
  ])('%j is refused at once', async (more, text) => {
    await create();
    await create('far', { region: 'us' });
    for (const reply of [
      await apply('train', more),
      await project('runs/get_plan', { run_spec: spec('train', more) }),
    ]) {
      expect(reply.status).toBe(400);
      expect(reply.text).toMatch(text);
    }
  });

  it('give volumes back that they had been given before they lost their machine', async () => {
    await create();
    await haveMachines('eu-a');
    cloud.failures.push(
      ...Array.from({ length: 100 }, () => ({ call: 'attach', error: refusal('outage', 'IncorrectState') })),
    );
    await apply('train');
    await until(
      () => at('train'),
      (name) => name !== null,
    );
    await server.db.write((tx) => tx.execute(`UPDATE instances SET status = 'terminated', rev = rev + 1`, []));
    await server.db.write(async (tx) => server.app.get(Wake).rows(tx, 'jobs', (await tx.query<{ id: string }>('SELECT id FROM jobs')).map((row) => row.id))); // prettier-ignore
    await until(
      () => run('train'),
      ({ status }) => status === 'failed',
    );
    await until(volume, ({ attachments }) => attachments?.length === 0);
  });
});
