import { randomUUID } from 'node:crypto';
import { isBackendError, type VolumeConfiguration } from '@dstack/backend-base';
import { call, type GcpWorld, OWNER, startGcpWorld } from './support/gcp-world.js';

let world: GcpWorld;
beforeEach(async () => {
  world = await startGcpWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const configuration = (over: object = {}): VolumeConfiguration => ({
  type: 'volume',
  backend: 'gcp',
  name: 'Data',
  region: 'us-central1',
  size: 100,
  tags: { team: 'ml', 'Not a label': 'x' },
  ...over,
});
const request = (over: object = {}) => ({
  configuration: configuration(over),
  token: randomUUID(),
  cloudName: `dstack-main-data-${randomUUID().slice(0, 8)}`,
  owner: OWNER,
});
const volumes = () => {
  if (world.compute.volumes === undefined) throw new Error('no volumes');
  return world.compute.volumes;
};
const machine = async () => {
  const state = await world.compute.create(await world.attempt(), call());
  if (state.state === 'gone') throw new Error('gone');
  return state.ref;
};
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );

describe('a volume', () => {
  it('is a disk of the first zone with its size, its price and its makers', async () => {
    const given = request();
    expect(await volumes().create(given, call())).toEqual({
      volumeId: given.cloudName,
      sizeGb: 100,
      zone: 'us-central1-a',
      priceUsdPerMonth: 12,
      attachable: true,
      backendData: null,
    });
    expect([...world.fake.gce.disks.values()]).toMatchObject([
      { type: 'pd-balanced', labels: { dstack_server: OWNER, dstack_name: 'data', owner: 'dstack', team: 'ml' } },
    ]);
  });

  it('is in the zone that is asked for', async () => {
    const { zone } = await volumes().create(request({ availability_zone: 'us-central1-f' }), call());
    expect(zone).toBe('us-central1-f');
  });

  it('is made once for one request', async () => {
    const given = request();
    const [first, second] = await Promise.all([volumes().create(given, call()), volumes().create(given, call())]);
    world.fake.gce.operations.forgetRequests();
    expect(await volumes().create(given, call())).toEqual(first);
    expect(second).toEqual(first);
    expect(world.fake.gce.disks.size).toBe(1);
  });

  it.each([
    ['no size', { size: null }, 'names no size'],
    ['an unknown region', { region: 'mars-north1' }, 'no region mars-north1'],
  ])('with %s is refused', async (_what, over, text) => {
    expect(await failureOf(volumes().create(request(over), call()))).toMatchObject({
      message: expect.stringContaining(text) as string,
    });
  });

  it('that exists is found in any zone of its region', async () => {
    const { volumeId } = await volumes().create(request({ availability_zone: 'us-central1-c' }), call());
    const existing = configuration({ volume_id: volumeId, size: null });
    expect(await volumes().register(existing, call())).toMatchObject({ volumeId, zone: 'us-central1-c', sizeGb: 100 });
    const elsewhere = configuration({ volume_id: volumeId, availability_zone: 'us-central1-a' });
    expect(await failureOf(volumes().register(elsewhere, call()))).toMatchObject({
      kind: 'not-found',
      message: `Google Cloud has no disk ${volumeId} in us-central1-a`,
    });
  });

  it('goes, and goes again', async () => {
    const volume = await volumes().create(request(), call());
    expect(await volumes().delete(volume, call())).toBe('done');
    expect(await volumes().delete(volume, call())).toBe('done');
    expect(world.fake.gce.disks.size).toBe(0);
  });

  it('is listed with those of the owner; what machines start from is not', async () => {
    const volume = await volumes().create(request(), call());
    await machine();
    expect(world.fake.gce.disks.size).toBe(2);
    expect(await volumes().list(OWNER, call())).toEqual([volume]);
    expect(await volumes().list(`${OWNER}-other`, call())).toEqual([]);
  });
});

describe('a volume at a machine', () => {
  it('is attached once, under a name of its own, and detached once', async () => {
    const volume = await volumes().create(request(), call());
    const ref = await machine();
    const attached = { deviceName: `pd-${volume.volumeId}` };
    expect(await volumes().attach(volume, ref, call())).toEqual(attached);
    expect(await volumes().attach(volume, ref, call())).toEqual(attached);
    expect([...world.fake.gce.instances.values()][0]?.disks).toHaveLength(2);
    expect(await volumes().detach(volume, ref, { force: true }, call())).toBe('done');
    expect(await volumes().detach(volume, ref, { force: true }, call())).toBe('done');
    expect([...world.fake.gce.instances.values()][0]?.disks).toHaveLength(1);
  });

  it('is not deleted while it is there', async () => {
    const volume = await volumes().create(request(), call());
    await volumes().attach(volume, await machine(), call());
    expect(await failureOf(volumes().delete(volume, call()))).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('already being used') as string,
    });
  });

  it('is detached from a machine that is gone', async () => {
    const volume = await volumes().create(request(), call());
    const ref = await machine();
    await volumes().attach(volume, ref, call());
    world.fake.gce.instances.clear();
    expect(await volumes().detach(volume, ref, { force: false }, call())).toBe('done');
  });

  it('of another zone is refused', async () => {
    const volume = await volumes().create(request({ availability_zone: 'us-central1-f' }), call());
    expect(await failureOf(volumes().attach(volume, await machine(), call()))).toMatchObject({
      kind: 'rejected',
      message: expect.stringMatching(/is in us-central1-f, the machine is in us-central1-a/) as string,
    });
  });

  it('that another machine has says so', async () => {
    const volume = await volumes().create(request(), call());
    await volumes().attach(volume, await machine(), call());
    expect(await failureOf(volumes().attach(volume, await machine(), call()))).toMatchObject({
      message: expect.stringContaining('already being used') as string,
    });
  });
});

describe('machines that stay together', () => {
  const group = { cloudName: 'dstack-main-near', region: 'us-central1', owner: OWNER };
  const groups = () => {
    if (world.compute.placementGroups === undefined) throw new Error('no placement groups');
    return world.compute.placementGroups;
  };

  it('have a policy, which is made once', async () => {
    await groups().create(group, call());
    await groups().create(group, call());
    expect([...world.fake.gce.policies.values()]).toEqual([{ name: 'dstack-main-near', region: 'us-central1' }]);
    await world.compute.create({ ...(await world.attempt()), placementGroup: group.cloudName }, call());
    expect([...world.fake.gce.instances.values()][0]?.body.resourcePolicies).toEqual([
      'projects/fake-project/regions/us-central1/resourcePolicies/dstack-main-near',
    ]);
  });

  it('keep it until they are gone', async () => {
    await groups().create(group, call());
    await world.compute.create({ ...(await world.attempt()), placementGroup: group.cloudName }, call());
    expect(await groups().delete({ ...group, backendData: null }, call())).toBe('pending');
    world.fake.gce.instances.clear();
    expect(await groups().delete({ ...group, backendData: null }, call())).toBe('done');
    expect(await groups().delete({ ...group, backendData: null }, call())).toBe('done');
    expect(world.fake.gce.policies.size).toBe(0);
  });
});

describe('a gateway', () => {
  const gateways = () => {
    if (world.compute.gateways === undefined) throw new Error('no gateways');
    return world.compute.gateways;
  };
  const replica = async (over: object = {}) => ({
    ...(await world.attempt()),
    zone: null,
    publicIp: true,
    instanceType: null,
    balancer: null,
    ...over,
  });

  it('is a small machine that people reach over HTTP', async () => {
    const state = await gateways().createReplica(await replica(), call());
    expect(state).toMatchObject({ state: 'ready', hostname: '198.51.100.7', ref: { zone: 'us-central1-a' } });
    const [instance] = world.fake.gce.instances.values();
    expect(instance?.body).toMatchObject({
      machineType: 'zones/us-central1-a/machineTypes/e2-medium',
      tags: { items: ['dstack-gateway-instance'] },
      disks: [
        {
          initializeParams: {
            sourceImage: 'projects/ubuntu-os-cloud/global/images/family/ubuntu-2204-lts',
            diskSizeGb: '10',
          },
        },
      ],
    });
    expect([...world.fake.gce.firewalls.values()]).toMatchObject([
      { allowed: [{ ports: ['22', '80', '443'] }], targetTags: ['dstack-gateway-instance'] },
    ]);
  });

  it('may be private, and of another type', async () => {
    const given = await replica({ publicIp: false, instanceType: 'c4-standard-2', zone: 'us-central1-b' });
    expect(await gateways().createReplica(given, call())).toMatchObject({
      hostname: expect.stringMatching(/^10\./) as string,
    });
    expect([...world.fake.gce.instances.values()][0]?.body).toMatchObject({
      machineType: 'zones/us-central1-b/machineTypes/c4-standard-2',
      disks: [{ initializeParams: { diskType: 'zones/us-central1-b/diskTypes/hyperdisk-balanced' } }],
    });
  });

  it('that there is no room for leaves nothing', async () => {
    world.fake.gce.dry.add('e2-medium');
    expect(await failureOf(gateways().createReplica(await replica(), call()))).toMatchObject({ kind: 'no-capacity' });
    expect(world.fake.gce.instances.size).toBe(0);
  });

  it('goes, and goes again', async () => {
    const state = await gateways().createReplica(await replica(), call());
    if (state.state === 'gone') throw new Error('gone');
    expect(await gateways().terminateReplica(state.ref, call())).toBe('pending');
    expect(await gateways().terminateReplica(state.ref, call())).toBe('done');
  });
});
