import { isBackendError } from '@dstack/backend-base';
import { awsModule } from '../src/compute.js';
import { awsDefinition } from '../src/index.js';
import {
  ACCESS_KEY,
  attempt,
  type AwsWorld,
  call,
  config,
  environment,
  isSmall,
  OWNER,
  PUBLIC_KEY,
  QUERY,
  SECRET_KEY,
  startAwsWorld,
} from './support/aws-world.js';

let world: AwsWorld;
beforeEach(async () => {
  world = await startAwsWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const open = (extra: object = {}, now?: () => number) =>
  awsModule.open(config(extra), environment(world.fake.url, now));
const gpus = (gpu: object, more: object = {}) => ({ ...QUERY, requirements: { resources: { gpu }, ...more } });
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );
const until = async (is: () => boolean): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!is()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
};

describe('offers of AWS', () => {
  it('are of the catalog, within the regions, in the zones that there are', async () => {
    const offers = await world.compute.offers(gpus({ name: ['H100'], count: { min: 8 } }), call());
    const p5 = offers.find(({ instance, region }) => instance.name === 'p5.48xlarge' && region === 'us-east-1');
    expect(p5).toMatchObject({
      backend: 'aws',
      price: expect.any(Number) as number,
      availability: 'unknown',
      availability_zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
      disk_range_gb: { min: 100, max: 16_000 },
    });
    expect(p5?.instance.resources.gpus).toHaveLength(8);
    const t4 = await world.compute.offers(gpus({ name: ['T4'] }), call());
    expect(new Set(t4.map(({ region }) => region))).toEqual(new Set(['us-east-1', 'eu-west-1']));
    expect(offers.map(({ price }) => price)).toEqual(offers.map(({ price }) => price).sort((a, b) => a - b));
  });

  it('are of the families that the images fit, and of those that are asked for', async () => {
    const c7g = ({ instance }: { instance: { name: string } }) => instance.name === 'c7g.large';
    const query = { ...QUERY, requirements: { resources: { cpu: { count: { max: 2 } } } } };
    expect((await world.compute.offers(query, call())).some(c7g)).toBe(false);
    const more = await open({ experimental_instance_types: ['c7g.large'] });
    expect((await more.offers(query, call())).some(c7g)).toBe(true);
  });

  it('say which quota is in the way, by processors and by market', async () => {
    world.fake.quotas.set('L-417A185B', 96);
    world.fake.quotas.set('L-DB2E81BA', 8);
    const [p5] = (await world.compute.offers(gpus({ name: ['H100'], count: { min: 8 } }), call())).filter(
      ({ instance }) => !instance.resources.spot,
    );
    expect(p5).toMatchObject({
      availability: 'no_quota',
      availability_reason: 'the quota L-417A185B is 96 vCPUs, p5.48xlarge has 192',
    });
    const g6 = (await world.compute.offers(gpus({ name: ['L4'] }), call())).filter(({ instance }) =>
      /^g6\.(2|4)?xlarge$/.test(instance.name),
    );
    const states = new Map(
      g6.map(({ instance, availability }) => [`${instance.name} ${instance.resources.spot}`, availability]),
    );
    expect(states.get('g6.2xlarge false')).toBe('unknown');
    expect(states.get('g6.4xlarge false')).toBe('no_quota');
    expect(states.get('g6.4xlarge true')).toBe('unknown');
  });

  it('are still told when AWS does not answer', async () => {
    const nowhere = environment('http://127.0.0.1:1');
    const compute = await awsModule.open(config(), nowhere);
    const offers = await compute.offers(QUERY, call());
    expect(offers.find(isSmall)).toMatchObject({ availability: 'unknown', availability_zones: null });
    expect(nowhere.said.join()).toContain('does not tell its zones');
  });

  it('are refused with a key that AWS rejects', async () => {
    const creds = { type: 'access_key', access_key: 'AKIAWRONG', secret_key: SECRET_KEY };
    const compute = await open({ creds });
    expect(await failureOf(compute.offers(QUERY, call()))).toMatchObject({ kind: 'credentials', blocks: 'account' });
  });

  it('of a reservation are where it is, while it has room', async () => {
    const reservation = {
      CapacityReservationId: 'cr-1',
      InstanceType: 'p5.48xlarge',
      AvailabilityZone: 'us-east-1b',
      AvailableInstanceCount: 1,
      ReservationType: 'capacity-block',
      Tenancy: 'default',
    };
    world.fake.region('us-east-1').reservations.push(reservation);
    const query = gpus({ name: ['H100'] }, { reservation: 'cr-1' });
    const offers = await world.compute.offers(query, call());
    expect(
      offers.map(({ instance, region, availability_zones, availability }) => [
        instance.name,
        region,
        availability_zones,
        availability,
      ]),
    ).toEqual([['p5.48xlarge', 'us-east-1', ['us-east-1b'], 'available']]);
    reservation.AvailableInstanceCount = 0;
    expect((await world.compute.offers(query, call()))[0]?.availability).toBe('not_available');
    expect(await world.compute.offers(gpus({ name: ['H100'] }, { reservation: 'cr-other' }), call())).toEqual([]);
  });
});

describe('a launch', () => {
  const small = async () => (await world.compute.offers(QUERY, call())).find(isSmall);

  it('is what EC2 needs, and safe', async () => {
    const compute = await open({ tags: { team: 'ml', Name: 'no' }, iam_instance_profile: 'reader' });
    const wanted = attempt(await small(), { tags: { cost: 'low' } });
    await compute.create(wanted, call());
    const [instance] = world.fake.instances;
    expect(instance?.tags).toEqual({
      team: 'ml',
      cost: 'low',
      Name: wanted.cloudName,
      owner: 'dstack',
      dstack_project: 'main-project',
      dstack_name: 'one',
      dstack_user: 'admin',
      dstack_server: OWNER,
      dstack_attempt: wanted.token,
    });
    expect(instance?.input).toMatchObject({
      ClientToken: wanted.token,
      ImageId: 'ami-cpu-x86_64-2026-07-01',
      InstanceInitiatedShutdownBehavior: 'terminate',
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      IamInstanceProfile: { Name: 'reader' },
      BlockDeviceMappings: [
        { DeviceName: '/dev/sda1', Ebs: { VolumeSize: 100, VolumeType: 'gp3', DeleteOnTermination: true } },
      ],
      NetworkInterfaces: [
        { SubnetId: 'subnet-us-east-1a', AssociatePublicIpAddress: true, InterfaceType: 'interface' },
      ],
    });
    expect(instance?.userData).toContain(PUBLIC_KEY);
    expect(instance?.userData).not.toContain(SECRET_KEY);
  });

  it('uses one security group of the project, with the rules that it lacks', async () => {
    await Promise.all([
      world.compute.create(attempt(await small()), call()),
      world.compute.create(attempt(await small()), call()),
    ]);
    const { groups } = world.fake.region('us-east-1');
    expect([...groups.keys()]).toEqual(['dstack_security_group_main_project']);
    const [group] = groups.values();
    expect(group?.permissions).toHaveLength(2);
    group?.permissions.pop();
    await world.compute.create(attempt(await small()), call());
    expect(group?.permissions).toHaveLength(2);
  });

  it.each([
    ['p5.48xlarge', 32, 'efa', 'efa-only'],
    ['g6.48xlarge', 1, 'efa', undefined],
    ['t3.medium', 1, 'interface', undefined],
  ])('of %s has %d cards, the first %s', async (type, cards, first, second) => {
    const offer = (await world.compute.offers({ ...QUERY, requirements: { resources: {} } }, call())).find(
      ({ instance, region }) => instance.name === type && region === 'us-east-1' && !instance.resources.spot,
    );
    await world.compute.create(attempt(offer), call());
    const interfaces = world.fake.instances[0]?.input['NetworkInterfaces'] as { InterfaceType: string }[];
    expect(interfaces).toHaveLength(cards);
    expect([interfaces[0]?.InterfaceType, interfaces[1]?.InterfaceType]).toEqual([first, second]);
  });

  it.each([
    ['capacity-block', 'dedicated', { MarketType: 'capacity-block' }, 'dedicated'],
    ['default', 'default', undefined, undefined],
  ])('of a reservation (%s, %s) is of it', async (type, tenancy, market, placed) => {
    world.fake.region('us-east-1').reservations.push({
      CapacityReservationId: 'cr-1',
      InstanceType: 't3.medium',
      AvailabilityZone: 'us-east-1b',
      AvailableInstanceCount: 1,
      ReservationType: type,
      Tenancy: tenancy,
    });
    const query = { ...QUERY, requirements: { resources: {}, reservation: 'cr-1' } };
    const [offer] = await world.compute.offers(query, call());
    await world.compute.create(attempt(offer, { reservation: 'cr-1', zone: 'us-east-1b' }), call());
    const [instance] = world.fake.instances;
    expect(instance?.zone).toBe('us-east-1b');
    expect(instance?.input).toMatchObject({
      CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } },
    });
    expect(instance?.input['InstanceMarketOptions']).toEqual(market);
    expect((instance?.input['Placement'] as { Tenancy?: string }).Tenancy).toBe(placed);
  });

  it('of spot capacity ends with it', async () => {
    const offer = (await world.compute.offers(gpus({ name: ['L4'] }, { spot: true }), call())).find(
      ({ instance, region }) => instance.resources.spot && region === 'us-east-1',
    );
    const state = await world.compute.create(attempt(offer), call());
    const [instance] = world.fake.instances;
    expect(instance?.input['InstanceMarketOptions']).toEqual({
      MarketType: 'spot',
      SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' },
    });
    if (state.state === 'gone' || instance === undefined) throw new Error('gone');
    await until(() => instance.state === 'running');
    world.fake.region('us-east-1').interrupt(instance);
    expect(await world.compute.get(state.ref, call())).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('SpotInstanceTermination') as string,
    });
  });

  it.each([
    ['InsufficientInstanceCapacity', 500, 'no-capacity', 'zone'],
    ['VcpuLimitExceeded', 400, 'quota', 'offer'],
    ['UnauthorizedOperation', 403, 'credentials', 'account'],
    ['OptInRequired', 401, 'credentials', 'region'],
    ['InvalidParameterValue', 400, 'rejected', 'offer'],
    ['InvalidAMIID.NotFound', 400, 'not-found', 'offer'],
  ])('refused as %s (%d) is %s', async (code, status, kind, blocks) => {
    const wanted = attempt(await small());
    for (let tries = 0; tries < 4; tries += 1) world.fake.refuseNext('RunInstances', code, status);
    expect(await failureOf(world.compute.create(wanted, call()))).toMatchObject({
      kind,
      blocks,
      message: expect.stringContaining(code) as string,
    });
    expect(world.fake.instances).toEqual([]);
  });

  it('goes to the zone of the attempt', async () => {
    const wanted = attempt(await small(), { zone: 'us-east-1c' });
    await world.compute.create(wanted, call());
    expect(world.fake.instances[0]?.zone).toBe('us-east-1c');
    world.fake.region('us-east-1').dryZones.add('us-east-1a');
    expect(await failureOf(world.compute.create(attempt(await small()), call()))).toMatchObject({
      kind: 'no-capacity',
      blocks: 'zone',
      message: expect.stringContaining('us-east-1a') as string,
    });
  });

  it('repeated when the newest image is another finds what was made', async () => {
    const wanted = attempt(await small());
    const first = await world.compute.create(wanted, call());
    const other = await open({ os_images: { cpu: { name: 'mine', user: 'admin' } } });
    const second = await other.create(wanted, call());
    expect(world.fake.instances).toHaveLength(1);
    if (first.state === 'gone' || second.state === 'gone') throw new Error('gone');
    expect(second.ref.machineId).toBe(first.ref.machineId);
  });

  it('without a way to the internet says so', async () => {
    const offer = await small();
    world.fake.region('us-east-1').hasInternetGateway = false;
    expect(await failureOf(world.compute.create(attempt(offer), call()))).toMatchObject({
      kind: 'not-found',
      blocks: 'region',
      message: 'network vpc-us-east-1 in us-east-1 has no subnet with a route to an internet gateway',
    });
  });
});

describe('a machine that EC2 does not list yet', () => {
  it('is waited for and not given up, for a minute', async () => {
    let now = Date.now();
    const compute = await open({}, () => now);
    const offer = (await compute.offers(QUERY, call())).find(isSmall);
    const state = await compute.create(attempt(offer), call());
    if (state.state === 'gone') throw new Error('gone');
    world.fake.region('us-east-1').describeLagMs = 3_600_000;
    expect((await compute.get(state.ref, call())).state).toBe('pending');
    expect(await compute.terminate(state.ref, call())).toBe('pending');
    now += 61_000;
    const later = { signal: new AbortController().signal, deadline: now + 10_000 };
    expect((await compute.get(state.ref, later)).state).toBe('gone');
    expect(await compute.terminate(state.ref, later)).toBe('done');
  });
});

describe('the configuration', () => {
  const validate = async (extra: object = {}) =>
    (await awsModule.validate?.(config(extra), environment(world.fake.url), AbortSignal.timeout(10_000))) ?? [];

  it('works with a key and networks', async () => {
    expect(await validate()).toEqual([]);
  });

  it('names the key that AWS rejects', async () => {
    const creds = { type: 'access_key', access_key: 'AKIAWRONG', secret_key: SECRET_KEY };
    expect((await validate({ creds })).map(({ path }) => path)).toEqual([
      ['creds', 'access_key'],
      ['creds', 'secret_key'],
    ]);
  });

  it('names the network that a region has not', async () => {
    expect(await validate({ vpc_name: 'mine' })).toEqual([
      { path: ['regions'], message: 'us-east-1 has no network of the name mine' },
      { path: ['regions'], message: 'eu-west-1 has no network of the name mine' },
    ]);
  });

  it.each<[string, object, string]>([
    ['two ways to a network', { vpc_name: 'a', vpc_ids: { 'us-east-1': 'vpc-1' } }, 'vpc_ids'],
    ['no way to a network', { default_vpcs: false }, 'default_vpcs'],
    ['a tag of AWS', { tags: { 'aws:x': 'y' } }, 'tags.aws:x'],
    ['too many tags', { tags: Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`t${n}`, ''])) }, 'tags'],
    ['an owner that is none', { os_images: { cpu: { name: 'x', owner: 'me', user: 'u' } } }, 'os_images.cpu.owner'],
  ])('with %s is refused', (_what, extra, path) => {
    const creds = { type: 'access_key', access_key: ACCESS_KEY, secret_key: SECRET_KEY };
    const parsed = awsDefinition.configSchema.safeParse({ type: 'aws', creds, ...extra });
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });
});
