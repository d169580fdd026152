import { isBackendError } from '@dstack/backend-base';
import { testContainer } from '@dstack/backend-base/conformance';
import { runpodModule } from '../src/compute.js';
import { explainGraphql, explainRunpod } from '../src/errors.js';
import {
  call,
  config,
  environment,
  GPU,
  OWNER,
  QUERY,
  type RunpodWorld,
  startRunpodWorld,
} from './support/runpod-world.js';

const clock = { aheadMs: 0 };
let world: RunpodWorld;
beforeEach(async () => {
  clock.aheadMs = 0;
  world = await startRunpodWorld({ clock });
});
afterEach(() => world.close());

const later = () => ({ ...call(), deadline: Date.now() + clock.aheadMs + 10_000 });
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );
const asked = (path: string) => world.fake.requests.filter((request) => request.includes(path)).length;
const refOf = (state: Awaited<ReturnType<RunpodWorld['compute']['create']>>) => {
  if (state.state === 'gone') throw new Error('gone');
  return state.ref;
};
const only = <T>(items: Iterable<T>): T => {
  const [first] = items;
  if (first === undefined) throw new Error('there is none');
  return first;
};

describe('offers of RunPod', () => {
  it('are the types of the catalog at today’s prices, in stock where RunPod says so', async () => {
    const offers = (await world.compute.offers(QUERY, call())).filter(({ instance }) => instance.name === GPU);
    const romania = offers.find(({ region }) => region === 'EU-RO-1');
    expect(romania).toMatchObject({
      price: 0.39,
      availability: 'available',
      instance_runtime: 'runner',
      disk_range_gb: { min: 1 },
    });
    expect(romania?.instance.resources).toMatchObject({ cpus: 8, gpus: [{ name: 'L4', memory_mib: 24_576 }] });
    const elsewhere = offers.filter(({ region }) => region !== 'EU-RO-1');
    expect(new Set(elsewhere.map(({ availability }) => availability))).toEqual(new Set(['not_available']));
  });

  it('are of spot capacity where one may bid, and only for those who may be interrupted', async () => {
    const spotOf = async (spot: boolean | null) =>
      (await world.compute.offers({ ...QUERY, requirements: { ...QUERY.requirements, spot } }, call())).filter(
        ({ instance }) => instance.resources.spot,
      );
    expect(await spotOf(false)).toEqual([]);
    const before = asked('/graphql');
    const offers = await spotOf(null);
    expect(new Set(offers.map(({ region }) => region))).toEqual(new Set(['EU-RO-1']));
    expect(offers.find(({ instance }) => instance.name === GPU)).toMatchObject({
      price: 0.195,
      availability: 'available',
    });
    expect(await spotOf(true)).toEqual(offers);
    // One question for each number of GPUs.
    expect(asked('/graphql') - before).toBeLessThanOrEqual(
      new Set(offers.map(({ instance }) => instance.resources.gpus.length)).size,
    );
    const offer = offers.at(-1);
    if (offer === undefined) throw new Error('nothing to bid for');
    await world.compute.create(await world.attempt({ offer }), call());
    const [pod] = world.fake.living;
    expect(pod?.input).toMatchObject({
      gpuTypeId: offer.instance.name,
      bidPerGpu: offer.price / offer.instance.resources.gpus.length,
    });
    expect(world.fake.violations).toEqual([]);
  });

  it('are processors in sizes that double, each with its disk', async () => {
    const cpus = (await world.compute.offers(QUERY, call())).filter(
      ({ instance }) => instance.resources.gpus.length === 0,
    );
    const here = cpus.filter(({ region, instance }) => region === 'EU-RO-1' && instance.name.startsWith('cpu5c'));
    expect(here.map(({ instance, price, disk_range_gb: disk }) => [instance.name, price, disk?.max])).toEqual([
      ['cpu5c-2-4', 0.07, 30],
      ['cpu5c-4-8', 0.14, 60],
      ['cpu5c-8-16', 0.28, 120],
      ['cpu5c-16-32', 0.56, 240],
      ['cpu5c-32-64', 1.12, 480],
    ]);
  });

  it('are within the configured data centers', async () => {
    const compute = await runpodModule.open(config({ regions: ['us-tx-3'] }), environment(world.fake.url));
    const regions = (await compute.offers(QUERY, call())).map(({ region }) => region);
    expect(new Set(regions)).toEqual(new Set(['US-TX-3']));
  });

  it('are of hosts of others in the countries that are named', async () => {
    const regions = { regions: ['EU-RO-1', 'CA'], community_cloud: true };
    const compute = await runpodModule.open(config(regions), environment(world.fake.url));
    const offers = await compute.offers(
      { ...QUERY, requirements: { resources: { gpu: { name: ['RTX4090'] } } } },
      call(),
    );
    const canada = offers.filter(({ region, availability }) => region === 'CA' && availability === 'available');
    const ofOne = canada.filter(
      ({ instance: { name, resources } }) => name.includes('4090') && resources.gpus.length === 1,
    );
    expect(ofOne.map(({ price, instance }) => [price, instance.resources.spot])).toEqual([
      [0.17, true],
      [0.34, false],
    ]);
    // Nobody in Canada has an L4.
    expect(canada.some(({ instance }) => instance.name === GPU)).toBe(false);
  });

  it('ask for the stock once in three minutes', async () => {
    await world.compute.offers(QUERY, call());
    const before = asked('/v2/catalog');
    await world.compute.offers(QUERY, call());
    expect(asked('/v2/catalog')).toBe(before);
    clock.aheadMs = 180_001;
    await world.compute.offers(QUERY, later());
    expect(asked('/v2/catalog')).toBe(2 * before);
  });

  it('are in unknown stock while RunPod does not answer', async () => {
    const nowhere = environment('http://127.0.0.1:1');
    const compute = await runpodModule.open(config(), nowhere);
    const offers = await compute.offers(QUERY, call());
    expect(offers.length).toBeGreaterThan(10);
    expect(new Set(offers.map(({ availability }) => availability))).toEqual(new Set(['unknown']));
    expect(nowhere.said.join()).toContain('cannot be asked');
  });
});

describe('a pod', () => {
  it('is deployed with the start command in the place of the image’s own, its owner, and nothing secret', async () => {
    const container = testContainer({ image: 'i:1', registryAuth: { username: 'u', password: 's3same' } });
    const attempt = await world.attempt({ container });
    await world.compute.create(attempt, call());
    const pod = only(world.fake.pods.values());
    expect(pod).toMatchObject({
      name: attempt.cloudName,
      image: 'i:1',
      dataCenterId: 'EU-RO-1',
      cloud: 'SECURE',
      registryId: world.fake.registries[0]?.id,
      env: { RUNPOD_POD_USER: '0', DSTACK_AGENT_OWNER: OWNER, DSTACK_AGENT_ATTEMPT: attempt.token },
      input: { gpuTypeId: GPU, gpuCount: 1, minVcpuCount: 8, ports: '10022/tcp', volumeInGb: 0, supportPublicIp: true },
    });
    const [shell, option, script] = container.command;
    expect(JSON.parse(pod.dockerArgs)).toEqual({ entrypoint: [shell, option], cmd: [script] });
    expect(JSON.stringify(pod)).not.toContain('s3same');
  });

  it('of processors alone is deployed by its size', async () => {
    const offers = await world.compute.offers(QUERY, call());
    const offer = only(offers.filter(({ instance, region }) => instance.name === 'cpu3c-4-8' && region === 'EU-RO-1'));
    await world.compute.create(await world.attempt({ offer }), call());
    expect(only(world.fake.pods.values()).input).toMatchObject({ instanceId: 'cpu3c-4-8', deployCost: 0.12 });
  });

  it('mounts a network volume where the job wants it', async () => {
    const container = testContainer({ mounts: [{ volumeId: 'vol1', path: '/data' }] });
    await world.compute.create(await world.attempt({ container }), call());
    expect(only(world.fake.pods.values()).input).toMatchObject({ networkVolumeId: 'vol1', volumeMountPath: '/data' });
  });

  it('ends without its network volume, which the next pod mounts', async () => {
    const { volumes } = world.compute;
    const given = { type: 'volume', backend: 'runpod', name: 'data', region: 'EU-RO-1', size: 10 } as const;
    const request = { configuration: given, token: 't', cloudName: 'dstack-data-1', owner: OWNER };
    const volume = await volumes?.create(request, call());
    const container = testContainer({ mounts: [{ volumeId: volume?.volumeId ?? '', path: '/data' }] });
    for (let pods = 0; pods < 2; pods += 1) {
      const ref = refOf(await world.compute.create(await world.attempt({ container }), call()));
      expect(only(world.fake.living).volumeId).toBe(volume?.volumeId);
      await world.compute.terminate(ref, call());
      await until(() => world.fake.living.length === 0);
      expect(world.fake.volumes.map(({ id }) => id)).toEqual([volume?.volumeId]);
    }
  });

  it('is ready once its port has an address', async () => {
    const ref = refOf(await world.compute.create(await world.attempt(), call()));
    await until(() => only(world.fake.pods.values()).status === 'RUNNING');
    expect(await world.compute.get(ref, call())).toMatchObject({
      state: 'ready',
      agent: { via: 'ssh', host: '203.0.113.40', port: 14_321, hostKey: null },
    });
    only(world.fake.pods.values()).door = null;
    expect(await world.compute.get(ref, call())).toMatchObject({ state: 'pending', reason: 'running' });
  });

  it.each([
    ['EXITED', 'failed'],
    ['ERROR', 'failed'],
    ['TERMINATED', 'gone'],
    ['STARTING', 'pending'],
  ] as const)('that is %s is %s', async (status, expected) => {
    const ref = refOf(await world.compute.create(await world.attempt(), call()));
    only(world.fake.pods.values()).status = status;
    expect((await world.compute.get(ref, call())).state).toBe(expected);
  });

  it('that is turned away for the rate is deployed when RunPod says so', async () => {
    const attempt = await world.attempt();
    world.fake.refuseNext(429, 'slow down', '/graphql', { 'retry-after': '1' });
    await world.compute.create(attempt, call());
    expect(world.fake.pods.size).toBe(1);
  });

  it('that a failing server may have made is not deployed again', async () => {
    const attempt = await world.attempt();
    world.fake.refuseNext(502, 'bad gateway', '/graphql');
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({ kind: 'outage' });
    expect(asked('/graphql')).toBe(1);
  });
});

describe('passwords of registries', () => {
  const privateContainer = testContainer({ registryAuth: { username: 'u', password: 'p' } });

  it('go with their pod', async () => {
    const ref = refOf(await world.compute.create(await world.attempt({ container: privateContainer }), call()));
    expect(world.fake.registries).toHaveLength(1);
    await world.compute.terminate(ref, call());
    expect(world.fake.registries).toEqual([]);
  });

  it('are not left behind by a pod that was refused', async () => {
    const attempt = await world.attempt({ container: privateContainer });
    world.fake.refuseDeployment('There are no longer any instances available');
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({ kind: 'no-capacity' });
    expect(world.fake.registries).toEqual([]);
  });

  it('that were left behind are swept after a while; those of others never', async () => {
    const add = (name: string) => world.fake.registries.push({ id: name, name, username: 'u', password: 'p' });
    add('my-own');
    add(`dstack-${OWNER}-left-over`);
    add('dstack-another-installation-x');
    await world.compute.list(OWNER, call());
    expect(world.fake.registries).toHaveLength(3);
    clock.aheadMs = 16 * 60_000;
    await world.compute.list(OWNER, later());
    expect(world.fake.registries.map(({ name }) => name)).toEqual(['my-own', 'dstack-another-installation-x']);
  });
});

describe('network volumes', () => {
  const configuration = { type: 'volume', backend: 'runpod', name: 'data', region: 'eu-ro-1', size: 100 } as const;
  const request = { configuration, token: 't', cloudName: 'dstack-main-data-1', owner: OWNER };

  it('are made once, in the data center as RunPod writes it', async () => {
    const { volumes } = world.compute;
    const made = await volumes?.create(request, call());
    expect(made).toMatchObject({ sizeGb: 100, zone: 'EU-RO-1', priceUsdPerMonth: 7, attachable: false });
    expect(await volumes?.create(request, call())).toEqual(made);
    expect(await volumes?.list(OWNER, call())).toEqual([made]);
    expect(await volumes?.list('another', call())).toEqual([]);
  });

  it('are found by their id and deleted, and deleted again', async () => {
    const { volumes } = world.compute;
    const made = await volumes?.create(request, call());
    if (made === undefined) throw new Error('no volume');
    expect(await volumes?.register({ ...configuration, volume_id: made.volumeId }, call())).toEqual(made);
    expect(await volumes?.delete(made, call())).toBe('done');
    expect(await volumes?.delete(made, call())).toBe('done');
    expect(world.fake.volumes).toEqual([]);
  });

  it('have a size that RunPod has', async () => {
    const small = { ...request, configuration: { ...configuration, size: 5 } };
    expect(await failureOf(Promise.resolve(world.compute.volumes?.create(small, call())))).toMatchObject({
      kind: 'rejected',
    });
  });
});

describe('the configuration', () => {
  const validate = (given: object, endpoint = world.fake.url) =>
    runpodModule.validate?.(config(given), environment(endpoint), AbortSignal.timeout(5_000));

  it.each<[object, (string | number)[], RegExp]>([
    [{ regions: ['EU-RO-1', 'EU-XX-9'] }, ['regions', 1], /no data center EU-XX-9: it has EU-RO-1, US-TX-3/],
    [{ regions: ['CA'] }, ['regions', 0], /only the community cloud/],
    [{ regions: ['Canada'], community_cloud: true }, ['regions', 0], /neither a data center/],
    [{ creds: { api_key: 'wrong' } }, ['creds', 'api_key'], /API key/],
  ])('%j is told what is wrong', async (given, path, message) => {
    const [issue] = (await validate(given)) ?? [];
    expect(issue).toMatchObject({ path, message: expect.stringMatching(message) as string });
  });

  it('works with data centers and countries', async () => {
    expect(await validate({ regions: ['eu-ro-1', 'CA'], community_cloud: true })).toEqual([]);
  });

  it('cannot be checked while RunPod does not answer', async () => {
    expect(await failureOf(Promise.resolve(validate({}, 'http://127.0.0.1:1')))).toMatchObject({ kind: 'outage' });
  });
});

it.each([
  ['There are no longer any instances available with the requested specifications. Please refresh and try again.', 'no-capacity', 'offer'],
  ['This machine does not have the resources to deploy your pod. Please try a different machine', 'no-capacity', 'offer'],
  ['Insufficient resources', 'no-capacity', 'offer'],
  ['Your account balance is too low to deploy this pod', 'quota', 'account'],
  ['You have reached your spend limit', 'quota', 'account'],
  ['Unauthorized request, please check your API key.', 'credentials', 'account'],
  ['Registry auth not found', 'not-found', 'offer'],
  ['Something went wrong. Please try again later or contact support.', 'outage', 'account'],
  ['Variable "$input" got invalid value', 'rejected', 'offer'],
])('GraphQL’s “%s” is %s', (message, kind, blocks) => {
  expect(explainGraphql([message])).toEqual({ failure: { kind, blocks }, message });
}); // prettier-ignore

it.each([
  [401, 'Unauthorized', 'credentials', 'account'],
  [402, 'Insufficient balance', 'quota', 'account'],
  [403, 'Forbidden', 'credentials', 'account'],
  [404, 'pod not found', 'not-found', 'offer'],
  [400, 'no instances available in EU-RO-1', 'no-capacity', 'offer'],
  [400, 'gpu and cpu exclude each other', 'rejected', 'offer'],
  [422, 'the body does not match', 'rejected', 'offer'],
])('REST’s %d with “%s” is %s', (status, detail, kind, blocks) => {
  const body = { title: 'Refused', status, detail, errors: ['$.x: bad'] };
  expect(explainRunpod({ status, body })).toEqual({ failure: { kind, blocks }, message: `${detail}; $.x: bad` });
});

async function until(is: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!is()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
