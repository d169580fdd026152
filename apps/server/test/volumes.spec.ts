import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { BackendStore } from '../src/backends/backend-store.js';
import { OrphanCollector } from '../src/instances/orphan-collector.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';
import { giveVolumes, refusal, VolumeCloud } from './support/volume-cloud.js';

type Volume = Wire.Volume & { readonly status_display: string; readonly last_error: string | null };

describe.each(testDatabases())('network volumes on $name', ({ location }) => {
  let server: TestServer;
  let cloud: VolumeCloud;
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), localBackend: false });
    cloud = new VolumeCloud();
    giveVolumes(server, cloud);
  });
  afterEach(() => server.close());

  const project = (path: string, body: object = {}) => server.post(`/api/project/main/${path}`, body);
  const create = (more: object = {}) =>
    project('volumes/create', {
      configuration: { type: 'volume', backend: 'aws', name: 'data', region: 'eu', size: '100GB', ...more },
    });
  const get = async (name = 'data') => (await project('volumes/get', { name })).body as Volume;
  const until = async <T>(look: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
    for (let tries = 0; tries < 400; tries += 1) {
      const value = await look();
      if (isIt(value)) return value;
      await sleep(25);
    }
    throw new Error(`it never came: ${JSON.stringify(await look())}`);
  };
  const becomes = (status: string) => until(get, (volume) => volume.status_display === status);
  const messages = async () =>
    (
      (await server.post('/api/events/list', { include_target_types: ['volume'], ascending: true }))
        .body as Wire.Event[]
    ).map(({ message }) => message);

  it('are created, listed and deleted', async () => {
    expect((await create()).body).toMatchObject({ name: 'data', status: 'submitted', external: false, cost: 0 });
    const volume = await becomes('active');
    expect(volume).toMatchObject({
      project_name: 'main',
      user: 'admin',
      configuration: { size: 100 },
      volume_id: 'vol-1',
      provisioning_data: { backend: 'aws', size_gb: 100, availability_zone: 'eu-a', price: 8, attachable: true },
      attachments: [],
      deleted: false,
    });
    expect((await project('volumes/list')).body).toMatchObject([{ name: 'data' }]);
    expect((await server.post('/api/volumes/list', { project_name: 'main' })).body).toMatchObject([{ name: 'data' }]);
    await project('volumes/delete', { names: ['data'] });
    await until(
      async () => (await project('volumes/list')).body as Volume[],
      (volumes) => volumes.length === 0,
    );
    expect(cloud.volumes.size).toBe(0);
    expect((await project('volumes/get', { name: 'data' })).status).toBe(400);
    const [history] = (await server.post('/api/volumes/list', {})).body as Volume[];
    expect(history).toMatchObject({ name: 'data', deleted: true });
    expect(await messages()).toEqual([
      'Volume created. Status: SUBMITTED',
      'Volume status changed SUBMITTED -> PROVISIONING (its name is on disk)',
      'Volume status changed PROVISIONING -> ACTIVE (created)',
      'Volume marked for deletion',
      'Volume status changed ACTIVE -> DELETING (deletion requested)',
      'Volume deleted',
    ]);
  });

  it('of a user are found by their id, cost us nothing and are only forgotten', async () => {
    await create({ size: null, volume_id: 'vol-mine' });
    expect(await becomes('active')).toMatchObject({ external: true, volume_id: 'vol-mine', cost: 0 });
    await project('volumes/delete', { names: ['data'] });
    await until(
      async () => (await project('volumes/list')).body as Volume[],
      (volumes) => volumes.length === 0,
    );
    expect(cloud.calls).toEqual(['register']);
  });

  it('that are not there fail with what the cloud says, and can be deleted', async () => {
    await create({ size: null, volume_id: 'vol-missing' });
    expect(await becomes('failed')).toMatchObject({ status_message: 'The volume vol-missing does not exist' });
    await project('volumes/delete', { names: ['data'] });
    await until(
      async () => (await project('volumes/list')).body as Volume[],
      (volumes) => volumes.length === 0,
    );
  });

  it('are made once although the answer was lost', async () => {
    cloud.failures.push({ call: 'create', error: refusal('outage', 'connection reset'), after: true });
    await create();
    await becomes('active');
    expect(cloud.calls).toEqual(['create', 'create']);
    expect(cloud.volumes.size).toBe(1);
  });

  it('fail at once for what will not change', async () => {
    cloud.failures.push({ call: 'create', error: refusal('quota', 'VolumeLimitExceeded: too many') });
    await create();
    expect(await becomes('failed')).toMatchObject({ status_message: 'VolumeLimitExceeded: too many' });
  });

  it('of a backend that the project has not fail with that', async () => {
    giveVolumes(server, null);
    await create();
    expect(await becomes('failed')).toMatchObject({ status_message: 'Backend aws is not configured in this project' });
  });

  it('are asked to be deleted until they are gone, with the reason', async () => {
    await create();
    await becomes('active');
    cloud.failures.push({ call: 'delete', error: refusal('outage', 'EBS is down') });
    await project('volumes/delete', { names: ['data'] });
    expect(await until(get, (volume) => volume.last_error !== null)).toMatchObject({
      status: 'active',
      status_display: 'deleting',
      last_error: 'EBS is down',
    });
    await until(
      async () => (await project('volumes/list')).body as Volume[],
      (volumes) => volumes.length === 0,
    );
    expect(cloud.volumes.size).toBe(0);
  });

  it('clean themselves up when nobody uses them', async () => {
    await create({ auto_cleanup_duration: 1 });
    await becomes('active');
    await until(
      async () => (await project('volumes/list')).body as Volume[],
      (volumes) => volumes.length === 0,
    );
    expect(await messages()).toContain(
      'Volume status changed ACTIVE -> DELETING (not used for its auto_cleanup_duration)',
    );
  });

  it.each([
    [{ size: null }, /either size or volume_id must be set/],
    [{ name: 'Bad Name' }, /name/],
  ])('%j is refused', async (more, text) => {
    const reply = await create(more);
    expect(reply.status).toBe(400);
    expect(reply.text).toMatch(text);
  });

  it('refuse a second of the same name, and keep their project and their backend', async () => {
    await create();
    const again = await create();
    expect([again.status, again.text]).toEqual([400, expect.stringContaining('resource_exists')]);
    const gone = await server.post('/api/projects/delete', { projects_names: ['main'] });
    expect(gone.text).toContain('it has volumes (data)');
    await server.db.write(async (tx) => {
      const [main] = await tx.query<{ id: string }>('SELECT id FROM projects', []);
      await server.app.get(BackendStore).put(tx, main?.id ?? '', { type: 'aws', regions: null, creds: null });
    });
    const removed = await project('backends/delete', { backends_names: ['aws'] });
    expect([removed.status, removed.text]).toEqual([
      400,
      expect.stringContaining('Backend aws has volumes (data) and stays. Delete the volumes first'),
    ]);
    await becomes('active');
    await project('volumes/delete', { names: ['data'] });
    await until(
      async () => (await project('volumes/list')).body as Volume[],
      (volumes) => volumes.length === 0,
    );
    expect((await project('backends/delete', { backends_names: ['aws'] })).status).toBe(200);
  });

  it('that nobody has are deleted when they are remembered, and told when they are not', async () => {
    await create();
    await becomes('active');
    const [own] = [...cloud.volumes.values()];
    const more = (volumeId: string, cloudName: string) => ({ sizeGb: 1, zone: null, priceUsdPerMonth: 1, attachable: true, backendData: null, volumeId, cloudName, token: volumeId, attachedTo: null }); // prettier-ignore
    cloud.volumes.set('vol-twin', more('vol-twin', own?.cloudName ?? ''));
    cloud.volumes.set('vol-old', more('vol-old', 'dstack-main-old-12345678'));
    for (let times = 0; times < 2; times += 1) await server.app.get(OrphanCollector).round();
    expect([...cloud.volumes.keys()].sort()).toEqual(['vol-1', 'vol-old']);
    const events = (await server.post('/api/events/list', { include_target_types: ['project'] })).body as Wire.Event[];
    const told = events.filter(({ message }) => message.includes('vol-old'));
    expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('It is kept')]);
  });
});
