import { isBackendError } from '@dstack/backend-base';
import { testContainer } from '@dstack/backend-base/conformance';
import { askFilters } from '../src/ask-filters.js';
import { vastaiModule } from '../src/compute.js';
import { explainVastai } from '../src/errors.js';
import { ourName, theirNames } from '../src/gpu-names.js';
import { stateOf } from '../src/machine-state.js';
import { regionOf } from '../src/offers.js';
import {
  API_KEY,
  call,
  config,
  environment,
  OWNER,
  QUERY,
  startVastaiWorld,
  type VastaiWorld,
} from './support/vastai-world.js';

let world: VastaiWorld;
beforeEach(async () => {
  world = await startVastaiWorld();
});
afterEach(() => world.close());

const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );
const only = <T>(items: Iterable<T>): T => {
  const [first] = items;
  if (first === undefined) throw new Error('there is none');
  return first;
};
const ask = (gpu: object, rest: object = {}) => ({
  ...QUERY,
  requirements: { resources: { gpu, disk: { size: { min: 100 } } }, ...rest },
});
const rtx4090 = ask({ name: ['RTX4090'], count: { min: 1, max: 1 } });
const asked = (what: string) => world.fake.requests.filter((request) => request.startsWith(what)).length;

describe('offers of Vast.ai', () => {
  it('are each machine for sure and by bid, with the disk in the price', async () => {
    const offers = await world.compute.offers(QUERY, call());
    expect(offers.map(({ instance, price, region, backend_data: data }) => [instance.name, instance.resources.spot, price, region, data])).toEqual([
      ['28471936', false, 1.04083, 'us-california', undefined],
      ['28471936', true, 0.63083, 'us-california', { min_bid: 0.61 }],
    ]); // prettier-ignore
    expect(only(offers)).toMatchObject({
      instance: { resources: { cpus: 16, memory_mib: 64 * 1024, gpus: [{ name: 'A100', memory_mib: 81_920 }] } },
      instance_runtime: 'runner',
      disk_range_gb: { min: 8, max: 412 },
    });
  });

  it('are in the order that Vast.ai gives them, or by price when that is asked for', async () => {
    const names = async (options: object[] | null) =>
      (
        await world.compute.offers(
          ask({ name: ['RTX4090'], count: { min: 1, max: 1 } }, { backend_options: options }),
          call(),
        )
      )
        .filter(({ instance }) => !instance.resources.spot)
        .map(({ instance }) => instance.name);
    expect(await names(null)).toEqual(['28471937', '28471938']);
    expect(await names([{ type: 'vastai', offer_order: 'price' }])).toEqual(['28471938', '28471937']);
    expect(await names([{ type: 'vastai', min_score: 200 }])).toEqual(['28471937']);
    expect(await names([{ type: 'vastai', min_reliability: 0.5 }])).toContain('28471941');
  });

  it('are of machines in data centers, where nothing else is wanted', async () => {
    const compute = await vastaiModule.open(config({ community_cloud: false }), environment(world.fake.url));
    expect((await compute.offers(rtx4090, call())).map(({ instance }) => instance.name)).toEqual(['28471938']);
  });

  it('are within the configured regions', async () => {
    const compute = await vastaiModule.open(config({ regions: ['CA-Quebec'] }), environment(world.fake.url));
    expect((await compute.offers(rtx4090, call())).map(({ region }) => region)).toEqual(['ca-quebec']);
  });

  it('are asked for once in three minutes by whoever wants the same', async () => {
    await world.compute.offers(QUERY, call());
    await world.compute.offers(QUERY, call());
    expect(asked('POST /api/v0/bundles/')).toBe(1);
    await world.compute.offers(rtx4090, call());
    expect(asked('POST /api/v0/bundles/')).toBe(2);
  });

  it('are none for several nodes', async () => {
    expect(await world.compute.offers(ask({ count: { min: 1 } }, { multinode: true }), call())).toEqual([]);
  });
});

it.each([
  [['A100'], ['A100 PCIE', 'A100 SXM4']],
  [
    ['H100', 'h100nvl'],
    ['H100 PCIE', 'H100 SXM', 'H100 NVL'],
  ],
  [
    ['V100', 'A6000', 'L40S'],
    ['Tesla V100', 'RTX A6000', 'L40S'],
  ],
  [
    ['RTX4090', 'RTX3080Ti', 'RTX6000Ada', 'RTX4080SUPER', 'RTX4070TiSUPER'],
    ['RTX 4090', 'RTX 3080 Ti', 'RTX 6000Ada', 'RTX 4080S', 'RTX 4070S Ti'],
  ],
  [['A100', 'RTXPRO6000'], null],
  [null, null],
])('GPUs called %j are searched for as %j', (ours, theirs) => expect(theirNames(ours)).toEqual(theirs));

it.each([
  ['A100 SXM4', 'A100'],
  ['H100 SXM', 'H100'],
  ['H100 NVL', 'H100NVL'],
  ['Tesla V100', 'V100'],
  ['RTX A6000', 'A6000'],
  ['Q RTX 8000', 'QRTX8000'],
  ['RTX PRO 6000 WS', 'RTXPRO6000'],
  ['RTX 6000Ada', 'RTX6000Ada'],
  ['RTX 4070S Ti', 'RTX4070TiSUPER'],
  ['Z 900', null],
])('Vast.ai’s %s is %s', (theirs, ours) => expect(ourName(theirs)).toBe(ours));

it.each([
  ['California, US', 'us-california'],
  ['New South Wales, AU', 'au-newsouthwales'],
  ['Sweden', 'sweden'],
  ['', ''],
])('a machine in “%s” is in the region “%s”', (geolocation, region) => expect(regionOf(geolocation)).toBe(region));

it('searches for a little less memory than is asked for, and for the compute capability', () => {
  const filters = askFilters({ resources: { gpu: { memory: { min: 80, max: null }, compute_capability: [8, 6], count: { min: 2, max: 4 } }, cpu: { count: { min: 8, max: null } }, memory: { min: 32, max: null } } }, { withCommunity: true }); // prettier-ignore
  expect(filters).toMatchObject({
    gpu_ram: { gte: 76_185 },
    compute_cap: { gte: 860 },
    num_gpus: { gte: 2, lte: 4 },
    cpu_cores: { gte: 8 },
    cpu_ram: { gte: 32_000 },
    disk_space: { gte: 100 },
  });
  expect(filters).not.toHaveProperty('datacenter');
});

describe('an instance', () => {
  it('is rented with the start command, its owner, one port and nothing secret but the registry’s password', async () => {
    const container = testContainer({ image: 'ghcr.io/a/b:1', registryAuth: { username: 'ada', password: 's3same' } });
    const attempt = await world.attempt({ container });
    await world.compute.create(attempt, call());
    expect(only(world.fake.contracts.values())).toMatchObject({
      askId: 28471936,
      label: attempt.cloudName,
      image: 'ghcr.io/a/b:1',
      onstart: '/bin/sh',
      args: container.command.slice(1),
      env: { '-p 10022:10022': '1', DSTACK_AGENT_OWNER: OWNER, DSTACK_AGENT_ATTEMPT: attempt.token },
      price: null,
      imageLogin: '-u ada -p s3same ghcr.io',
    });
  });

  it.each([
    ['a/b', 'docker.io'],
    ['ubuntu', 'docker.io'],
    ['localhost/b', 'localhost'],
    ['r:5000/b', 'r:5000'],
  ])('of the image %s is pulled from %s', async (image, registry) => {
    const container = testContainer({ image, registryAuth: { username: 'u', password: 'p' } });
    await world.compute.create(await world.attempt({ container }), call());
    expect(only(world.fake.contracts.values()).imageLogin).toBe(`-u u -p p ${registry}`);
  });

  it('is not rented with a password that cannot be passed on', async () => {
    const container = testContainer({ registryAuth: { username: 'u', password: 'a b' } });
    const failure = await failureOf(world.compute.create(await world.attempt({ container }), call()));
    expect(failure).toMatchObject({ kind: 'rejected', message: expect.not.stringContaining('a b') as string });
    expect(asked('PUT')).toBe(0);
  });

  it('is had by bid, and a bid that is too low leaves nothing behind', async () => {
    const offer = only((await world.compute.offers(QUERY, call())).filter(({ instance }) => instance.resources.spot));
    await world.compute.create(await world.attempt({ offer }), call());
    expect(only(world.fake.contracts.values()).price).toBe(0.61);
    world.fake.lowestBid = 0.7;
    const failure = await failureOf(world.compute.create(await world.attempt({ offer }), call()));
    expect(failure).toMatchObject({ kind: 'no-capacity', blocks: 'offer' });
    expect(world.fake.contracts.size).toBe(1);
  });

  it('that is asked for too often is asked for again', async () => {
    const attempt = await world.attempt();
    world.fake.throttleNext('/asks/');
    await world.compute.create(attempt, call());
    expect(world.fake.contracts.size).toBe(1);
  });

  it('that a failing server may have made is not rented again', async () => {
    const attempt = await world.attempt();
    world.fake.refuseNext(502, 'bad_gateway', 'bad gateway', '/asks/');
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({ kind: 'outage' });
    expect(asked('PUT')).toBe(1);
  });

  it('is found among many', async () => {
    for (let count = 0; count < 26; count += 1) await world.compute.create(await world.attempt(), call());
    expect(await world.compute.list(OWNER, call())).toHaveLength(26);
    expect(asked('GET /api/v1/instances/')).toBeGreaterThan(26 + 1);
  });

  it('never shows the key or a password', async () => {
    const container = testContainer({ registryAuth: { username: 'u', password: 's3same' } });
    const attempt = await world.attempt({ container });
    world.fake.refuseNext(400, 'invalid_args', `bad ${API_KEY} and s3same`, '/asks/');
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({
      message: 'invalid_args: bad *** and ***',
    });
  });
});

const instance = {
  id: 1,
  label: 'x',
  public_ipaddr: ' 203.0.113.7\n',
  ports: { '10022/tcp': [{ HostPort: '40001' }] },
};
it.each([
  ['not tried yet', { actual_status: null }, { state: 'pending', reason: 'not tried yet' }],
  ['pulling', { actual_status: 'loading', status_msg: 'pulling layer' }, { state: 'pending', reason: 'pulling layer' }],
  ['running', { actual_status: 'running' }, { state: 'ready', agent: { host: '203.0.113.7', port: 40_001 } }],
  ['running, and its ports are not known', { actual_status: 'running', ports: null }, { state: 'pending' }],
  ['not startable', { actual_status: 'created', status_msg: 'Error: OCI runtime create failed: x' }, { state: 'failed', message: 'Error: OCI runtime create failed: x' }],
  ['created', { actual_status: 'created' }, { state: 'pending' }],
  ['ended', { actual_status: 'exited', status_msg: 'boom' }, { state: 'failed', message: 'the instance is exited: boom' }],
  ['lost', { actual_status: 'offline' }, { state: 'failed' }],
  ['outbid', { actual_status: 'running', cur_state: 'stopped', intended_status: 'stopped', next_state: 'stopped' }, { state: 'failed', message: expect.stringContaining('bids more') as string }],
  ['frozen', { actual_status: 'frozen' }, { state: 'pending' }],
])('an instance that is %s', (_what, over, expected) => {
  expect(stateOf({ ...instance, ...over })).toMatchObject(expected);
}); // prettier-ignore

it.each([
  [401, { error: 'auth_error', msg: 'Invalid user key' }, 'credentials', 'account'],
  [404, { error: 'invalid_args', msg: 'error 404/3603: no_such_ask Instance type by id 1 is not available.' }, 'no-capacity', 'offer'],
  [410, { error: 'no_such_ask', msg: 'gone' }, 'no-capacity', 'offer'],
  [400, { error: 'invalid_price', msg: 'bid is too low' }, 'no-capacity', 'offer'],
  [400, { error: 'invalid_args', msg: 'disk must be a number' }, 'rejected', 'offer'],
  [403, { error: 'forbidden', msg: 'Your account lacks credit; see the billing page.' }, 'quota', 'account'],
  [403, { error: 'forbidden', msg: 'the key has no permission' }, 'credentials', 'account'],
  [404, { error: 'not_found', msg: 'Instance not found' }, 'not-found', 'offer'],
  [400, 'API requests too frequent: endpoint threshold=3.0', 'throttled', 'account'],
  [418, null, 'rejected', 'offer'],
])('%d %j is understood', (status, body, kind, blocks) => {
  expect(explainVastai({ status, body }).failure).toEqual({ kind, blocks });
}); // prettier-ignore

describe('the configuration', () => {
  const validate = (given: object, endpoint = world.fake.url) =>
    vastaiModule.validate?.(config(given), environment(endpoint), AbortSignal.timeout(5_000));

  it('works with a key', async () => expect(await validate({})).toEqual([]));

  it('names the key that Vast.ai rejects', async () => {
    const [issue] = (await validate({ creds: { api_key: 'wrong' } })) ?? [];
    expect(issue).toMatchObject({
      path: ['creds', 'api_key'],
      message: expect.stringContaining('Invalid user key') as string,
    });
  });

  it('cannot be checked while Vast.ai does not answer', async () => {
    expect(await failureOf(Promise.resolve(validate({}, 'http://127.0.0.1:1')))).toMatchObject({ kind: 'outage' });
  });
});
