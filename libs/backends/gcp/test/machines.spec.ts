import { isBackendError } from '@dstack/backend-base';
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
  world = await startGcpWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const open = (extra: object = {}) => gcpModule.open(config(world.fake, extra), environment(world.fake.url));
const offer = (type: string, isSpot = false) => offerOf(world.compute, named(type, isSpot));
const bodies = () => [...world.fake.gce.instances.values()].map(({ body }) => body);
const inserts = () => world.fake.requests.filter((each) => each.endsWith('instances.insert'));
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );

describe('offers of Google', () => {
  it('are types of a region with all its zones', async () => {
    expect(await offer('e2-standard-2')).toMatchObject({
      price: 0.067011,
      availability: 'unknown',
      availability_zones: ['us-central1-a', 'us-central1-b', 'us-central1-c', 'us-central1-f'],
      disk_range_gb: { min: 20, max: 32_000 },
    });
  });

  it('have the disk of 100 GB that TPUs have', async () => {
    const tpu = await offer('v5litepod-8');
    expect(tpu.instance.resources).toMatchObject({ disk: { size_mib: 102_400 }, cpus: 224 });
    expect(tpu.disk_range_gb).toBeUndefined();
  });

  it('say which quota is used up', async () => {
    world.fake.gce.quotas.push({ metric: 'NVIDIA_L4_GPUS', limit: 4, usage: 3 });
    world.fake.gce.quotas.push({ metric: 'PREEMPTIBLE_NVIDIA_L4_GPUS', limit: 8, usage: 0 });
    expect(await offer('g2-standard-4')).toMatchObject({ availability: 'unknown' });
    expect(await offer('g2-standard-24')).toMatchObject({
      availability: 'no_quota',
      availability_reason: 'the quota NVIDIA_L4_GPUS leaves 1, the machine has 2',
    });
    expect(await offer('g2-standard-24', true)).toMatchObject({ availability: 'unknown' });
  });

  it.each([
    ['regions.list', [403, 'forbidden', "Required 'compute.regions.list' permission"] as const],
    ['regions.list', [400, 'invalid'] as const],
  ])('stay when %s is refused with %j', async (method, refusal) => {
    world.fake.refuseNext(method, refusal);
    expect((await world.compute.offers(QUERY, call())).length).toBeGreaterThan(100);
  });

  it('are refused with a key that Google does not know', async () => {
    world.fake.isKeyRevoked = true;
    expect(await failureOf(world.compute.offers(QUERY, call()))).toMatchObject({
      kind: 'credentials',
      blocks: 'account',
    });
  });

  it('are, by default, where the network has a subnet', async () => {
    world.fake.gce.subnets.set('default', ['europe-west4']);
    const compute = await open({ regions: null });
    const regions = (await compute.offers(QUERY, call())).map(({ region }) => region);
    expect(new Set(regions)).toEqual(new Set(['europe-west4']));
    expect(world.fake.requests.filter((each) => each === 'subnetworks.listUsable')).toHaveLength(1);
    await compute.offers(QUERY, call());
    expect(world.fake.requests.filter((each) => each === 'subnetworks.listUsable')).toHaveLength(1);
  });

  it('stay while Google does not answer', async () => {
    const nowhere = environment('http://127.0.0.1:1');
    const compute = await gcpModule.open(config(world.fake), nowhere);
    expect((await compute.offers(QUERY, call())).length).toBeGreaterThan(100);
    expect(nowhere.said.join()).toContain('does not tell its quotas');
  });
});

describe('a machine that is asked for', () => {
  it('has its makers, its key, its disk and a way in', async () => {
    const given = await world.attempt();
    await world.compute.create(given, call());
    const [body] = bodies();
    expect(body).toMatchObject({
      name: given.cloudName,
      machineType: 'zones/us-central1-a/machineTypes/e2-standard-2',
      labels: {
        dstack_server: OWNER,
        dstack_attempt: given.token,
        dstack_project: 'main-project',
        dstack_user: 'admin',
      },
      tags: { items: ['dstack-runner-instance'] },
      disks: [
        {
          boot: true,
          autoDelete: true,
          initializeParams: {
            sourceImage: 'projects/dstack/global/images/dstack-0-14',
            diskSizeGb: '100',
            diskType: 'zones/us-central1-a/diskTypes/pd-balanced',
          },
        },
      ],
      networkInterfaces: [
        { network: 'projects/fake-project/global/networks/default', accessConfigs: [{ type: 'ONE_TO_ONE_NAT' }] },
      ],
      scheduling: {},
    });
    const items = (body?.metadata as { items: { key: string; value: string }[] }).items;
    expect(items.find(({ key }) => key === 'ssh-keys')?.value).toBe(`ubuntu:${PUBLIC_KEY}`);
    expect(items.find(({ key }) => key === 'user-data')?.value).toMatch(/^#cloud-config\n/);
    expect([...world.fake.gce.firewalls.values()]).toMatchObject([
      { allowed: [{ IPProtocol: 'tcp', ports: ['22'] }], targetTags: ['dstack-runner-instance'] },
    ]);
  });

  it('tells which labels of its profile are none', async () => {
    const said = environment(world.fake.url);
    const compute = await gcpModule.open(config(world.fake), said);
    await compute.create({ ...(await world.attempt()), tags: { team: 'ml', Cost: 'much' } }, call());
    expect(bodies()[0]).toMatchObject({ labels: { team: 'ml' } });
    expect(said.said).toEqual(['Tags that Google takes for no labels are left out: Cost']);
  });

  it.each([
    ['e2-standard-2', true, { scheduling: { provisioningModel: 'SPOT', instanceTerminationAction: 'DELETE' } }],
    ['g2-standard-4', false, { scheduling: { onHostMaintenance: 'TERMINATE' } }],
    ['a3-megagpu-8g', false, { scheduling: { onHostMaintenance: 'TERMINATE' } }],
  ])('as %s (spot: %s)', async (type, isSpot, expected) => {
    await world.compute.create(attempt(await offer(type, isSpot)), call());
    expect(bodies()[0]).toMatchObject(expected);
    expect(bodies()[0]).not.toHaveProperty('guestAccelerators');
  });

  it('gets its GPUs where the type has none', async () => {
    const t4 = await offerOf(
      world.compute,
      ({ instance: { name, resources }, region }) =>
        name === 'n1-standard-4' &&
        region === 'us-central1' &&
        resources.gpus[0]?.name === 'T4' &&
        resources.gpus.length === 2,
    );
    await world.compute.create(attempt(t4, { zone: 'us-central1-b' }), call());
    expect(bodies()[0]?.guestAccelerators).toEqual([
      {
        acceleratorType: 'projects/fake-project/zones/us-central1-b/acceleratorTypes/nvidia-tesla-t4',
        acceleratorCount: 2,
      },
    ]);
  });

  it('is what the configuration says', async () => {
    world.fake.gce.subnets.set('mine', ['us-central1']);
    const compute = await open({
      vpc_name: 'mine',
      public_ips: false,
      vm_service_account: 'worker@p.iam.gserviceaccount.com',
      tags: { team: 'ml' },
    });
    const state = await compute.create(await world.attempt(), call());
    expect(bodies()[0]).toMatchObject({
      labels: { team: 'ml' },
      serviceAccounts: [{ email: 'worker@p.iam.gserviceaccount.com' }],
      networkInterfaces: [
        {
          network: 'projects/fake-project/global/networks/mine',
          subnetwork: 'projects/fake-project/regions/us-central1/subnetworks/mine',
        },
      ],
    });
    expect(JSON.stringify(bodies()[0])).not.toContain('accessConfigs');
    if (state.state === 'gone') throw new Error('gone');
    expect(await compute.get(state.ref, call())).toMatchObject({
      state: 'ready',
      hostname: expect.stringMatching(/^10\./) as string,
    });
  });

  it('is in a shared network, whose firewall is not ours', async () => {
    const compute = await open({ vpc_project_id: 'host-project' });
    await compute.create(await world.attempt(), call());
    expect(bodies()[0]).toMatchObject({
      networkInterfaces: [{ network: 'projects/host-project/global/networks/default' }],
    });
    expect(world.fake.gce.firewalls.size).toBe(0);
  });

  it('has a card for each further network', async () => {
    for (let n = 1; n <= 8; n += 1) world.fake.gce.subnets.set(`gpu-${n}`, ['us-central1']);
    const compute = await open({ extra_vpcs: Array.from({ length: 8 }, (_, n) => `gpu-${n + 1}`) });
    await compute.create(attempt(await offer('a3-megagpu-8g')), call());
    const cards = bodies()[0]?.networkInterfaces as { nicType: string; network: string }[];
    expect(cards.map(({ nicType }) => nicType)).toEqual(Array<string>(9).fill('GVNIC'));
    expect(cards[8]?.network).toContain('/gpu-8');
  });

  it('is refused in a region without a subnet of the network', async () => {
    world.fake.gce.subnets.set('mine', ['europe-west4']);
    const compute = await open({ vpc_name: 'mine' });
    expect(await failureOf(compute.create(await world.attempt(), call()))).toMatchObject({
      kind: 'not-found',
      blocks: 'region',
      message: expect.stringContaining('no subnet in us-central1') as string,
    });
  });

  it('finds the firewall rule that is there', async () => {
    await world.compute.create(await world.attempt(), call());
    await (await open()).create(await world.attempt(), call());
    await world.compute.create(await world.attempt(), call());
    expect(world.fake.requests.filter((each) => each === 'firewalls.insert')).toHaveLength(2);
    expect(world.fake.gce.firewalls.size).toBe(1);
  });
});

describe('a create call', () => {
  it.each([
    [[503, 'insufficientCapacity'] as const, 'no-capacity', 'zone'],
    [[403, 'quotaExceeded'] as const, 'quota', 'offer'],
    [[403, 'rateLimitExceeded'] as const, 'throttled', 'account'],
    [[403, 'forbidden'] as const, 'credentials', 'account'],
    [[400, 'invalid'] as const, 'rejected', 'offer'],
  ])('that is refused with %j is %s', async (refusal, kind, blocks) => {
    const given = await world.attempt();
    world.fake.refuseNext('instances.insert', refusal);
    expect(await failureOf(world.compute.create(given, call()))).toMatchObject({ kind, blocks });
    expect(inserts()).toHaveLength(1);
  });

  it('that meets a failing server is repeated, and makes one machine', async () => {
    const given = await world.attempt();
    world.fake.refuseNext('instances.insert', [503, 'backendError']);
    world.fake.refuseNext('instances.insert', [429, 'rateLimitExceeded'], { 'retry-after': '1' });
    await world.compute.create(given, call());
    expect(inserts()).toHaveLength(3);
    expect(world.fake.gce.instances.size).toBe(1);
  });

  it('learns from the operation that the zone is dry, and leaves nothing', async () => {
    const given = await world.attempt();
    world.fake.gce.dry.add('us-central1-a');
    world.fake.gce.operations.looks = 3;
    expect(await failureOf(world.compute.create(given, call()))).toEqual({
      kind: 'no-capacity',
      blocks: 'zone',
      message: expect.stringMatching(
        /^ZONE_RESOURCE_POOL_EXHAUSTED: The zone .* does not have enough resources/,
      ) as string,
    });
    expect(world.fake.requests.at(-1)).toBe('us-central1-a instances.delete');
    expect(world.fake.gce.disks.size).toBe(0);
  });

  it('goes on to a zone that sells the type', async () => {
    const given = await world.attempt();
    world.fake.gce.unsold.add('us-central1-a/e2-standard-2');
    expect(await failureOf(world.compute.create(given, call()))).toMatchObject({ kind: 'no-capacity', blocks: 'zone' });
    expect(await world.compute.create({ ...given, zone: 'us-central1-b' }, call())).toMatchObject({
      ref: { zone: 'us-central1-b', region: 'us-central1' },
    });
  });

  it('does not wait longer than half a minute for the operation', async () => {
    let now = Date.now();
    const slow = {
      ...environment(world.fake.url, () => now),
      sleep: async (ms: number) => void (now += ms),
    };
    const compute = await gcpModule.open(config(world.fake), slow);
    const given = await world.attempt();
    world.fake.gce.dry.add('us-central1-a');
    world.fake.gce.operations.looks = 1_000;
    const begun = now;
    const state = await compute.create(given, { signal: new AbortController().signal, deadline: now + 120_000 });
    expect(now - begun).toBeLessThanOrEqual(30_000);
    expect(state).toMatchObject({ state: 'pending' });
  });

  it('that ended before its operation is told later why there is no machine', async () => {
    const given = await world.attempt();
    world.fake.gce.dry.add('us-central1-a');
    world.fake.gce.operations.looks = Infinity;
    const short = { signal: new AbortController().signal, deadline: Date.now() + 5_500 };
    const state = await world.compute.create(given, short);
    if (state.state !== 'pending') throw new Error(state.state);
    expect(await world.compute.get(state.ref, call())).toMatchObject({ state: 'pending' });
    world.fake.gce.operations.finishAll();
    expect(await world.compute.get(state.ref, call())).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('ZONE_RESOURCE_POOL_EXHAUSTED') as string,
    });
  });

  it('takes the machine of its attempt, and no other of the name', async () => {
    const given = await world.attempt();
    await world.compute.create(given, call());
    world.fake.gce.operations.forgetRequests();
    expect(await world.compute.create(given, call())).toMatchObject({ ref: { machineId: given.cloudName } });
    const other = { ...given, token: 'f3b5c1de-0000-4000-8000-000000000002' };
    expect(await failureOf(world.compute.create(other, call()))).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('already exists') as string,
    });
    expect(world.fake.gce.instances.size).toBe(1);
  });

  it('never shows its token', async () => {
    const given = await world.attempt();
    world.fake.refuseNext('instances.insert', [400, 'invalid', 'no']);
    const failure = (await failureOf(world.compute.create(given, call()))) as { message: string };
    expect(failure.message).toBe('invalid: no');
  });
});

describe('a machine', () => {
  const created = async () => {
    const state = await world.compute.create(await world.attempt(), call());
    if (state.state === 'gone') throw new Error('gone');
    const [instance] = world.fake.gce.instances.values();
    if (instance === undefined) throw new Error('none');
    return { ref: state.ref, instance };
  };

  it('is where its public address is', async () => {
    const { ref } = await created();
    expect(await world.compute.get(ref, call())).toMatchObject({
      state: 'ready',
      agent: { via: 'login', host: '198.51.100.7', port: 22, user: 'ubuntu' },
      internalIp: expect.stringMatching(/^10\./) as string,
    });
  });

  it.each([
    ['PROVISIONING', 'pending'],
    ['STAGING', 'pending'],
    ['PENDING', 'pending'],
    ['STOPPING', 'failed'],
    ['TERMINATED', 'failed'],
    ['SUSPENDED', 'failed'],
    ['REPAIRING', 'failed'],
  ])('that is %s is %s', async (status, expected) => {
    const { ref, instance } = await created();
    instance.status = status;
    expect((await world.compute.get(ref, call())).state).toBe(expected);
  });

  it('that Google takes back says so', async () => {
    const state = await world.compute.create(attempt(await offer('e2-standard-2', true)), call());
    if (state.state === 'gone') throw new Error('gone');
    for (const instance of world.fake.gce.instances.values()) instance.status = 'STOPPING';
    expect(await world.compute.get(state.ref, call())).toMatchObject({ message: 'Google takes the spot machine back' });
  });

  it('has no address yet for a moment', async () => {
    const { ref, instance } = await created();
    instance.ip = null;
    expect(await world.compute.get(ref, call())).toMatchObject({ state: 'pending', reason: 'it has no address yet' });
  });

  it('that is being made is ended later', async () => {
    const { ref } = await created();
    world.fake.refuseNext('instances.delete', [400, 'resourceNotReady']);
    expect(await world.compute.terminate(ref, call())).toBe('pending');
    expect(world.fake.gce.instances.size).toBe(1);
  });

  it('is found without its zone', async () => {
    const { ref } = await created();
    const lost = { ...ref, zone: null, backendData: 'not what it was' };
    expect(await world.compute.get(lost, call())).toMatchObject({ state: 'ready' });
    expect(await world.compute.terminate(lost, call())).toBe('pending');
  });

  it('is ended after its network, its quota and its type are gone', async () => {
    const { ref } = await created();
    world.fake.gce.subnets.clear();
    world.fake.gce.unsold.add('us-central1-a/e2-standard-2');
    const later = await open({ vpc_name: 'gone' });
    expect(await later.terminate(ref, call())).toBe('pending');
  });

  it('is listed with all others of the owner, page by page', async () => {
    for (let n = 0; n < 5; n += 1) await world.compute.create(await world.attempt(), call());
    world.fake.tpu.isOff = true;
    const listed = await world.compute.list(OWNER, call());
    expect(listed).toHaveLength(5);
    expect(listed[0]).toMatchObject({
      owner: OWNER,
      createdAt: expect.any(Number) as number,
      token: expect.any(String) as string,
    });
    expect(world.fake.requests.filter((each) => each === 'instances.aggregatedList')).toHaveLength(3);
  });
});

describe('a reservation', () => {
  const reserve = (over: object = {}, sku: object = {}) =>
    world.fake.gce.reservations.push({
      name: 'mine',
      zone: 'https://www.googleapis.com/compute/v1/projects/fake-project/zones/us-central1-b',
      status: 'READY',
      specificReservationRequired: true,
      specificReservation: {
        assuredCount: '2',
        inUseCount: '1',
        instanceProperties: { machineType: 'a3-megagpu-8g', localSsds: [{ diskSizeGb: '375', interface: 'NVME' }] },
        ...sku,
      },
      ...over,
    });
  const reserved = (reservation: string) =>
    world.compute.offers({ ...QUERY, requirements: { resources: {}, reservation } }, call());

  it('is offered where it is, and nothing else', async () => {
    reserve();
    expect(await reserved('mine')).toMatchObject([
      { instance: { name: 'a3-megagpu-8g' }, availability_zones: ['us-central1-b'], availability: 'available' },
    ]);
  });

  it('that is full is shown as such', async () => {
    reserve({}, { inUseCount: '2' });
    expect(await reserved('mine')).toMatchObject([
      { availability: 'not_available', availability_reason: 'the reservation is full' },
    ]);
  });

  it.each([
    ["another cloud's", 'CR_123'],
    ['one that nobody has', 'none'],
  ])('of %s is offered nothing', async (_what, name) => {
    reserve();
    expect(await reserved(name)).toEqual([]);
  });

  it('that may not be seen is offered nothing', async () => {
    world.fake.refuseNext('reservations.aggregatedList', [403, 'forbidden']);
    expect(await reserved('mine')).toEqual([]);
  });

  it('gets its machines, with the disks and the policy they must have', async () => {
    const policy =
      'https://www.googleapis.com/compute/v1/projects/fake-project/regions/us-central1/resourcePolicies/near';
    reserve({ deploymentType: 'DENSE', resourcePolicies: { placement: policy } });
    const [found] = await reserved('mine');
    if (found === undefined) throw new Error('none');
    await world.compute.create(attempt(found, { reservation: 'mine', placementGroup: 'ours' }), call());
    expect(bodies()[0]).toMatchObject({
      reservationAffinity: {
        consumeReservationType: 'SPECIFIC_RESERVATION',
        key: 'compute.googleapis.com/reservation-name',
        values: ['projects/fake-project/reservations/mine'],
      },
      resourcePolicies: ['projects/fake-project/regions/us-central1/resourcePolicies/near'],
      scheduling: { provisioningModel: 'RESERVATION_BOUND', onHostMaintenance: 'TERMINATE' },
      disks: [{ boot: true }, { type: 'SCRATCH', interface: 'NVME', initializeParams: { diskSizeGb: '375' } }],
    });
  });

  it('that is gone meanwhile blocks the zone', async () => {
    const given = attempt(await offer('a3-megagpu-8g'), { reservation: 'mine', zone: 'us-central1-b' });
    expect(await failureOf(world.compute.create(given, call()))).toMatchObject({ kind: 'no-capacity', blocks: 'zone' });
    expect(inserts()).toHaveLength(0);
  });
});
