import { isBackendError } from '@dstack/backend-base';
import { lambdaModule } from '../src/compute.js';
import { lambdaDefinition } from '../src/index.js';
import {
  API_KEY,
  call,
  environment,
  type LambdaWorld,
  OWNER,
  PUBLIC_KEY,
  QUERY,
  startLambdaWorld,
} from './support/lambda-world.js';

let world: LambdaWorld;
beforeEach(async () => {
  world = await startLambdaWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const config = (extra: object = {}) =>
  lambdaDefinition.configSchema.parse({ type: 'lambda', creds: { api_key: API_KEY }, ...extra });
const launches = () => world.fake.requests.filter((request) => request.endsWith('/launch')).length;
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );

describe('offers of Lambda', () => {
  it('are each type in each region, in stock where Lambda says so', async () => {
    const offers = await world.compute.offers(QUERY, call());
    const h100 = offers.filter(({ instance }) => instance.name === 'gpu_8x_h100_sxm5');
    expect(h100.map(({ region, availability, price }) => [region, availability, price])).toEqual([
      ['us-west-1', 'available', 23.92],
      ['us-east-1', 'not_available', 23.92],
    ]);
    expect(h100[0]?.instance.resources).toMatchObject({
      cpus: 208,
      memory_mib: 1_843_200,
      disk: { size_mib: 23_068_672 },
      cpu_arch: 'x86',
      spot: false,
    });
    expect(h100[0]?.instance.resources.gpus).toHaveLength(8);
    expect(h100[0]?.instance.resources.gpus[0]).toEqual({ name: 'H100', vendor: 'nvidia', memory_mib: 81_920 });
  });

  it.each([
    ['gpu_1x_gh200', 'GH200', 'arm'],
    ['gpu_1x_a6000', 'A6000', 'x86'],
    ['gpu_8x_v100', 'V100', 'x86'],
    ['cpu_4x_general', undefined, 'x86'],
  ])('know %s as %s on %s', async (name, gpu, arch) => {
    const offer = (await world.compute.offers(QUERY, call())).find(({ instance }) => instance.name === name);
    expect(offer?.instance.resources.cpu_arch).toBe(arch);
    expect(offer?.instance.resources.gpus[0]?.name).toBe(gpu);
  });

  it('leave out what nobody can ask for', async () => {
    const offers = await world.compute.offers(QUERY, call());
    expect(offers.some(({ instance }) => instance.name === 'gpu_1x_unheard_of')).toBe(false);
  });

  it('are within the configured regions', async () => {
    const compute = await lambdaModule.open(config({ regions: ['us-east-1'] }), environment(world.fake.url));
    const regions = (await compute.offers(QUERY, call())).map(({ region }) => region);
    expect(new Set(regions)).toEqual(new Set(['us-east-1']));
  });

  it('are asked for once in three minutes', async () => {
    await world.compute.offers(QUERY, call());
    await world.compute.offers(QUERY, call());
    expect(world.fake.requests.filter((request) => request === 'GET /api/v1/instance-types')).toHaveLength(1);
  });

  it('are those of the catalog, in unknown stock, while Lambda does not answer', async () => {
    const nowhere = environment('http://127.0.0.1:1');
    const compute = await lambdaModule.open(config(), nowhere);
    const offers = await compute.offers(QUERY, call());
    expect(offers.length).toBeGreaterThan(300);
    expect(new Set(offers.map(({ availability }) => availability))).toEqual(new Set(['unknown']));
    expect(nowhere.said.join()).toContain('cannot be asked');
  });

  it('are refused with a key that Lambda rejects', async () => {
    const compute = await lambdaModule.open(config({ creds: { api_key: 'wrong' } }), environment(world.fake.url));
    expect(await failureOf(compute.offers(QUERY, call()))).toMatchObject({ kind: 'credentials', blocks: 'account' });
  });
});

describe('a launch', () => {
  it('carries the name, the owner, the attempt and one key that Lambda knows', async () => {
    const attempt = await world.attempt();
    await world.compute.create(attempt, call());
    const [instance] = world.fake.instances.values();
    expect(instance).toMatchObject({
      name: attempt.cloudName,
      tags: [
        { key: 'dstack-server', value: OWNER },
        { key: 'dstack-attempt', value: attempt.token },
      ],
      keyNames: [world.fake.keys[0]?.name],
    });
    expect(world.fake.keys[0]?.public_key).toBe(PUBLIC_KEY);
    expect(instance?.userData).toMatch(/^#cloud-config\n/);
  });

  it('uses the key that is there, whatever it is called', async () => {
    world.fake.keys.push({ id: 'k', name: 'of somebody', public_key: PUBLIC_KEY.replace(' dstack', ' other') });
    await world.compute.create(await world.attempt(), call());
    expect(world.fake.keys).toHaveLength(1);
  });

  it.each([
    [400, 'instance-operations/launch/insufficient-capacity', 'no-capacity', 'offer'],
    [400, 'global/quota-exceeded', 'quota', 'account'],
    [400, 'global/invalid-parameters', 'rejected', 'offer'],
    [403, 'global/account-inactive', 'credentials', 'account'],
    [403, 'global/something-new', 'credentials', 'account'],
    [404, 'global/object-does-not-exist', 'not-found', 'offer'],
    [500, 'global/internal-error', 'outage', 'account'],
  ])('refused with %d %s is %s', async (status, code, kind, blocks) => {
    const attempt = await world.attempt();
    world.fake.refuseNext(status, code, { path: '/launch' });
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({ kind, blocks });
    expect(launches()).toBe(1);
  });

  it('that is turned away for its rate is tried again', async () => {
    const attempt = await world.attempt();
    world.fake.refuseNext(429, 'global/too-many', { path: '/launch', headers: { 'retry-after': '1' } });
    world.fake.refuseNext(429, 'global/too-many', { path: '/launch' });
    await world.compute.create(attempt, call());
    expect(world.fake.instances.size).toBe(1);
  });

  it('never shows the key', async () => {
    const attempt = await world.attempt();
    world.fake.refuseNext(400, 'global/invalid-parameters', { message: `bad key ${API_KEY}` });
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({ message: 'bad key ***' });
  });
});

describe('a machine', () => {
  it('is ready once it is active and has an address', async () => {
    const state = await world.compute.create(await world.attempt(), call());
    if (state.state === 'gone') throw new Error('gone');
    await until(() => [...world.fake.instances.values()].every(({ status }) => status === 'active'));
    expect(await world.compute.get(state.ref, call())).toMatchObject({
      state: 'ready',
      agent: { via: 'login', host: '198.51.100.7', port: 22, user: 'ubuntu' },
    });
    for (const instance of world.fake.instances.values()) instance.ip = null;
    expect(await world.compute.get(state.ref, call())).toMatchObject({ state: 'pending', reason: 'active' });
  });

  it.each([
    ['unhealthy', 'failed'],
    ['preempted', 'gone'],
    ['terminating', 'gone'],
  ] as const)('that is %s is %s', async (status, expected) => {
    const state = await world.compute.create(await world.attempt(), call());
    if (state.state === 'gone') throw new Error('gone');
    for (const instance of world.fake.instances.values()) instance.status = status;
    expect((await world.compute.get(state.ref, call())).state).toBe(expected);
  });
});

describe('the configuration', () => {
  const validate = (given: object, endpoint = world.fake.url) =>
    lambdaModule.validate?.(config(given), environment(endpoint), AbortSignal.timeout(5_000));

  it('works with a key and regions that Lambda has', async () => {
    expect(await validate({ regions: ['us-east-1'] })).toEqual([]);
  });

  it('names the region that Lambda has not', async () => {
    expect(await validate({ regions: ['us-east-1', 'mars'] })).toEqual([
      { path: ['regions', 1], message: 'Lambda has no region mars: it has us-west-1, us-east-1' },
    ]);
  });

  it('names the key that Lambda rejects', async () => {
    const [issue] = (await validate({ creds: { type: 'api_key', api_key: 'wrong' } })) ?? [];
    expect(issue?.path).toEqual(['creds', 'api_key']);
  });

  it('cannot be checked while Lambda does not answer', async () => {
    expect(await failureOf(Promise.resolve(validate({}, 'http://127.0.0.1:1')))).toMatchObject({ kind: 'outage' });
  });
});

async function until(is: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!is()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
