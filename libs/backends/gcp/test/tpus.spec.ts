import { randomUUID } from 'node:crypto';
import { isBackendError } from '@dstack/backend-base';
import { bundledCatalog } from '@dstack/catalog';
import { gcpModule } from '../src/compute.js';
import {
  attempt,
  call,
  config,
  environment,
  type GcpWorld,
  named,
  offerOf,
  OWNER,
  PUBLIC_KEY,
  QUERY,
  startGcpWorld,
} from './support/gcp-world.js';

let world: GcpWorld;
beforeEach(async () => {
  world = await startGcpWorld('v5litepod-8');
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const nodes = () => [...world.fake.tpu.nodes.values()];
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );
const created = async (over: object = {}) => {
  const state = await world.compute.create({ ...(await world.attempt()), ...over }, call());
  const [node] = nodes();
  if (state.state === 'gone' || node === undefined) throw new Error('gone');
  return { ref: state.ref, node };
};

describe('a TPU', () => {
  it('has its software, its makers, its key and a way in', async () => {
    const { node } = await created();
    expect(node.body).toMatchObject({
      acceleratorType: 'v5litepod-8',
      runtimeVersion: 'v2-alpha-tpuv5-lite',
      networkConfig: { network: 'projects/fake-project/global/networks/default', enableExternalIps: true },
      labels: { dstack_server: OWNER, owner: 'dstack' },
      tags: ['dstack-runner-instance'],
      schedulingConfig: {},
      metadata: { 'ssh-keys': `ubuntu:${PUBLIC_KEY}` },
    });
  });

  it('is spot, without a public address, in a network of its own, when asked for', async () => {
    world.fake.gce.subnets.set('mine', ['us-central1']);
    const extra = { vpc_name: 'mine', public_ips: false, vm_service_account: 'w@p.iam.gserviceaccount.com' };
    const compute = await gcpModule.open(config(world.fake, extra), environment(world.fake.url));
    const given = attempt(await offerOf(compute, named('v5litepod-8', true)));
    const state = await compute.create(given, call());
    expect(nodes()[0]?.body).toMatchObject({
      schedulingConfig: { spot: true },
      networkConfig: {
        subnetwork: 'projects/fake-project/regions/us-central1/subnetworks/mine',
        enableExternalIps: false,
      },
      serviceAccount: { email: 'w@p.iam.gserviceaccount.com' },
    });
    expect(state).toMatchObject({ state: 'ready', hostname: '10.164.0.9' });
  });

  it.each([
    ['CREATING', 'pending'],
    ['STATE_UNSPECIFIED', 'pending'],
    ['STOPPED', 'failed'],
    ['PREEMPTED', 'failed'],
    ['REPAIRING', 'failed'],
  ])('that is %s is %s', async (state, expected) => {
    const { ref, node } = await created();
    node.state = state;
    expect((await world.compute.get(ref, call())).state).toBe(expected);
  });

  it('is made in another zone when one is full', async () => {
    const given = await world.attempt();
    world.fake.tpu.dry.add('us-central1-a');
    expect(await failureOf(world.compute.create(given, call()))).toMatchObject({
      kind: 'no-capacity',
      blocks: 'zone',
      message: expect.stringContaining('no more capacity in the zone') as string,
    });
    expect(nodes()).toEqual([]);
  });

  it('that was refused for a quota says which', async () => {
    const given = await world.attempt();
    const quota = "Quota limit 'TPUV5sLitepodPerProjectPerZoneForTPUAPI' has been exceeded. Limit: 0";
    world.fake.refuseNext('projects.locations.nodes.create', [429, 'RESOURCE_EXHAUSTED', quota]);
    expect(await failureOf(world.compute.create(given, call()))).toEqual({
      kind: 'quota',
      blocks: 'offer',
      message: `RESOURCE_EXHAUSTED: ${quota}`,
    });
  });

  it('needs its service', async () => {
    const given = await world.attempt();
    world.fake.tpu.isOff = true;
    expect(await failureOf(world.compute.create(given, call()))).toMatchObject({ kind: 'credentials' });
    expect(await world.compute.list(OWNER, call())).toEqual([]);
  });

  it('that is going is not told to go again', async () => {
    const { ref, node } = await created();
    node.state = 'DELETING';
    expect(await world.compute.terminate(ref, call())).toBe('pending');
    expect(world.fake.requests.filter((each) => each.endsWith('nodes.delete'))).toEqual([]);
  });

  it('of several hosts is ready when all have their addresses', async () => {
    const offer = await offerOf(world.compute, named('v5litepod-16'));
    const { ref, node } = await created({ offer });
    expect(node.body).toMatchObject({ acceleratorType: 'v5litepod-16' });
    expect(await world.compute.get(ref, call())).toMatchObject({ state: 'ready', hostname: '198.51.100.8' });
    node.unaddressed = 1;
    expect(await world.compute.get(ref, call())).toMatchObject({ state: 'pending' });
    expect(await world.compute.terminate(ref, call())).toBe('pending');
  });

  it('of several hosts is offered to as many nodes, each for its part of the price', async () => {
    const [whole] = [...bundledCatalog('gcp').rows({ type: ({ name }) => name === 'v5p-16', isSpot: false })];
    const offers = await world.compute.offers(QUERY, call());
    const hosts = offers.filter(({ instance }) => instance.name === 'v5p-16' && !instance.resources.spot);
    expect(hosts[0]).toMatchObject({
      group_nodes: { min: 2, max: 2 },
      instance: { resources: { cpus: 208, gpus: [{ name: 'v5p-16', vendor: 'google' }] } },
    });
    expect((hosts[0]?.price ?? 0) * 2).toBeCloseTo(whole?.price ?? 0);
  });

  it('of several hosts is refused to another number of nodes, and to disks, before anything is made', async () => {
    const given = attempt(await offerOf(world.compute, named('v5litepod-16')));
    expect(await failureOf(world.compute.groups?.create(given, 2, call()) ?? Promise.resolve())).toMatchObject({
      kind: 'rejected',
      message: 'v5litepod-16 has 4 hosts, not 2',
    });
    const withDisk = { ...given, volumeIds: ['data'] };
    expect(await failureOf(world.compute.groups?.create(withDisk, 4, call()) ?? Promise.resolve())).toMatchObject({
      kind: 'rejected',
    });
    expect(nodes()).toEqual([]);
  });
});

describe('volumes of a TPU', () => {
  const volume = {
    volumeId: 'data',
    sizeGb: 100,
    zone: 'us-central1-a',
    priceUsdPerMonth: null,
    attachable: true,
    backendData: null,
  };

  it('can be there from the start', async () => {
    const { node } = await created({ volumeIds: ['data'] });
    expect(node.dataDisks).toEqual([
      { sourceDisk: 'projects/fake-project/zones/us-central1-a/disks/data', mode: 'READ_WRITE' },
    ]);
  });

  it('come and go, each with its number', async () => {
    const { ref, node } = await created({ volumeIds: ['first'] });
    const volumes = world.compute.volumes;
    expect(await volumes?.attach(volume, ref, call())).toEqual({ deviceName: 'persistent-disk-2' });
    expect(await volumes?.attach(volume, ref, call())).toEqual({ deviceName: 'persistent-disk-2' });
    expect(node.dataDisks).toHaveLength(2);
    expect(await volumes?.detach(volume, ref, { force: false }, call())).toBe('done');
    expect(await volumes?.detach(volume, ref, { force: false }, call())).toBe('done');
    expect(node.dataDisks).toHaveLength(1);
  });

  it('are there after it, and come to the next', async () => {
    const volumes = world.compute.volumes;
    const configuration = { type: 'volume', backend: 'gcp', name: 'data', region: 'us-central1', size: 100 } as const;
    const made = await volumes?.create({ configuration, token: randomUUID(), cloudName: 'data', owner: OWNER }, call());
    if (volumes === undefined || made === undefined) throw new Error('no volume');
    for (const cloudName of ['first', 'second']) {
      const given = { ...(await world.attempt()), cloudName };
      const state = await world.compute.create(given, call());
      if (state.state === 'gone') throw new Error('gone');
      expect(await volumes.attach(made, state.ref, call())).toEqual({ deviceName: 'persistent-disk-1' });
      await world.compute.terminate(state.ref, call());
      world.fake.tpu.nodes.clear();
      expect(await volumes.detach(made, state.ref, { force: false }, call())).toBe('done');
      expect((await volumes.list(OWNER, call())).map(({ volumeId }) => volumeId)).toEqual([made.volumeId]);
    }
  });

  it('are none of v6e', async () => {
    const { ref } = await created({ offer: await offerOf(world.compute, named('v6e-1')) });
    expect(await failureOf(world.compute.volumes?.attach(volume, ref, call()) ?? Promise.resolve())).toMatchObject({
      kind: 'rejected',
      message: 'v6e-1 takes no persistent disks',
    });
  });
});
