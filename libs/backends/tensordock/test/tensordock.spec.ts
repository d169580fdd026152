import { isBackendError } from '@dstack/backend-base';
import { tensordockModule } from '../src/compute.js';
import { acceleratorOf, parseTypeName, typeName } from '../src/offers.js';
import {
  call,
  config,
  environment,
  PUBLIC_KEY,
  QUERY,
  startTensorDockWorld,
  type TensorDockWorld,
} from './support/tensordock-world.js';

let world: TensorDockWorld;
beforeEach(async () => {
  world = await startTensorDockWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );

describe('offers of TensorDock', () => {
  it('are machines cut to measure, priced by their parts', async () => {
    const resources = { cpu: { count: { min: 7 } }, memory: { min: 50 }, disk: { size: { min: 120 } } };
    const [one] = await world.compute.offers({ ...QUERY, requirements: { resources } }, call());
    expect(one).toMatchObject({
      region: 'united-states-chicago',
      availability: 'available',
      instance: {
        name: 'loc-7d2e/1x-geforcertx4090-pcie-24gb/8c-56g-150d',
        resources: { cpus: 8, memory_mib: 57_344, disk: { size_mib: 153_600 } },
      },
    });
    expect(one?.instance.resources.gpus).toEqual([{ name: 'RTX4090', vendor: 'nvidia', memory_mib: 24_576 }]);
    expect(one?.price).toBeCloseTo(0.37 + 8 * 0.003 + 56 * 0.002 + 150 * 0.00005, 6);
  });

  it('leave out GPUs that nobody can name and places without addresses', async () => {
    const names = (await world.compute.offers(QUERY, call())).map(({ instance }) => instance.resources.gpus[0]?.name);
    expect(new Set(names)).toEqual(new Set(['RTX4090', 'H100', 'A6000']));
  });

  it.each([
    ['unitedstates', ['united-states-chicago']],
    ['canada-toronto', ['canada-toronto']],
    ['mars', []],
  ])('are within the configured region %s', async (region, expected) => {
    const compute = await tensordockModule.open(config({ regions: [region] }), environment(world.fake.url));
    const found = (await compute.offers(QUERY, call())).map((offer) => offer.region);
    expect([...new Set(found)]).toEqual(expected);
  });

  it.each([
    ['h100-sxm5-80gb', 'H100', 80],
    ['rtxa6000-pcie-48gb', 'A6000', 48],
    ['rtx6000ada-pcie-48gb', 'RTX6000Ada', 48],
    ['geforcertx3060tilhr-pcie-8gb', 'RTX3060Ti', 8],
    ['geforcegtx1070-pcie-8gb', undefined, undefined],
    ['something', undefined, undefined],
  ])('know %s as %s', (model, name, memoryGb) => {
    expect([acceleratorOf(model)?.known.name, acceleratorOf(model)?.memoryGb]).toEqual([name, memoryGb]);
  });

  it('are named so that they can be created', () => {
    const type = { location: 'loc-1', model: 'h100-sxm5-80gb', size: { gpus: 2, vcpus: 8, ramGb: 32, storageGb: 100 } };
    expect(parseTypeName(typeName(type.location, type.model, type.size))).toEqual(type);
    expect(parseTypeName('p5.48xlarge')).toBeNull();
  });
});

describe('a machine of TensorDock', () => {
  it('has the project’s key and what is needed for containers', async () => {
    await world.compute.create(await world.attempt(), call());
    const [machine] = world.fake.machines.values();
    expect(machine?.sshKey).toBe(PUBLIC_KEY);
    expect(machine?.runcmd.join('\n')).toContain('docker.io');
  });

  it('that the host took back has failed', async () => {
    const state = await world.compute.create(await world.attempt(), call());
    if (state.state === 'gone') throw new Error('gone');
    for (const machine of world.fake.machines.values()) machine.status = 'stoppeddisassociated';
    expect(await world.compute.get(state.ref, call())).toMatchObject({ state: 'failed' });
  });

  it.each([
    [401, 'Unauthorized', 'credentials', 'account'],
    [402, 'Payment required', 'quota', 'account'],
    [400, 'Insufficient balance', 'quota', 'account'],
    [400, 'Not enough resources available', 'no-capacity', 'offer'],
    [409, 'Conflict', 'no-capacity', 'offer'],
    [422, 'image is not valid', 'rejected', 'offer'],
  ])('refused with %d %s is %s', async (status, message, kind, blocks) => {
    const attempt = await world.attempt();
    world.fake.refuseNext(status, message);
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({ kind, blocks, message });
  });

  it('is asked for again when there were too many requests', async () => {
    const attempt = await world.attempt();
    world.fake.refuseNext(429, 'slow down', { 'retry-after': '1' });
    await world.compute.create(attempt, call());
    expect(world.fake.machines.size).toBe(1);
  });
});

it('a token that TensorDock rejects is named', async () => {
  const wrong = config({ creds: { api_key: 'old', api_token: 'wrong' } });
  const issues = await tensordockModule.validate?.(wrong, environment(world.fake.url), AbortSignal.timeout(5_000));
  expect(issues).toEqual([{ path: ['creds', 'api_token'], message: 'Unauthorized' }]);
  expect(await tensordockModule.validate?.(config(), environment(world.fake.url), AbortSignal.timeout(5_000))).toEqual(
    [],
  );
});
