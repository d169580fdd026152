import { isBackendError, type MachineRef } from '@dstack/backend-base';
import { testContainer } from '@dstack/backend-base/conformance';
import { graphqlLiteral, GraphqlName } from '../src/graphql-literal.js';
import { runpodModule } from '../src/compute.js';
import {
  call,
  CLUSTER_GPU,
  CLUSTER_QUERY,
  clusterAttempt,
  config,
  environment,
  OWNER,
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

const groups = () => {
  if (world.compute.groups === undefined) throw new Error('RunPod makes no clusters');
  return world.compute.groups;
};
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );
const refOf = (state: { readonly state: string; readonly ref?: MachineRef }): MachineRef => {
  if (state.ref === undefined) throw new Error(state.state);
  return state.ref;
};
const create = async (size = 3, over: Parameters<typeof clusterAttempt>[1] = {}) => {
  const attempt = await clusterAttempt(world.compute, over);
  return { attempt, first: refOf(await groups().create(attempt, size, call())) };
};
const readyAt = async (ref: MachineRef) => {
  for (;;) {
    const state = await world.compute.get(ref, call());
    if (state.state !== 'pending') return state;
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const cluster = () => {
  const [only, ...others] = world.fake.clusters.values();
  if (only === undefined || others.length > 0) throw new Error('not one cluster');
  return only;
};

describe('offers for several nodes', () => {
  it('are of clusters alone: where RunPod has them, at its price of one pod, of two to eight', async () => {
    const offers = await world.compute.offers(CLUSTER_QUERY, call());
    const inStock = offers.filter(({ availability }) => availability === 'available');
    expect(inStock).toEqual([
      expect.objectContaining({
        region: 'CA-MTL-1',
        price: 28.72,
        group_nodes: { min: 2, max: 8 },
        instance_runtime: 'runner',
        disk_range_gb: { min: 1, max: null },
        instance: expect.objectContaining({ name: CLUSTER_GPU }) as object,
      }),
    ]);
    expect(inStock[0]?.instance.resources).toMatchObject({ cpus: 160, gpus: { length: 8 } });
    expect(offers.every(({ group_nodes: nodes }) => nodes !== undefined)).toBe(true);
    const iceland = offers.find(({ region, instance }) => region === 'EUR-IS-3' && instance.name === CLUSTER_GPU);
    expect(iceland?.availability).toBe('not_available');
  });

  it('are not for a single node', async () => {
    const requirements = { ...CLUSTER_QUERY.requirements, multinode: false };
    const offers = await world.compute.offers({ ...CLUSTER_QUERY, requirements }, call());
    expect(offers.length).toBeGreaterThan(0);
    expect(offers.some(({ group_nodes: nodes }) => nodes !== undefined)).toBe(false);
  });

  it('are within the configured data centers', async () => {
    const compute = await runpodModule.open(config({ regions: ['eur-is-3'] }), environment(world.fake.url));
    const regions = (await compute.offers(CLUSTER_QUERY, call())).map(({ region }) => region);
    expect(new Set(regions)).toEqual(new Set(['EUR-IS-3']));
  });

  it('are as the catalog has them, of unknown stock, while RunPod does not answer', async () => {
    const compute = await runpodModule.open(config(), environment('http://127.0.0.1:1'));
    const offers = await compute.offers(CLUSTER_QUERY, call());
    expect(offers.find(({ region }) => region === 'CA-MTL-1')).toMatchObject({
      price: 28.704,
      availability: 'unknown',
      priced: { isDerived: false },
    });
  });
});

describe('a cluster', () => {
  it('is made with the price of all pods, no CUDA version, and the same start for each', async () => {
    const { attempt, first } = await create(3);
    const { input, name } = cluster();
    expect(name).toBe(`dstack-${OWNER}-${attempt.cloudName}`);
    expect(input).toMatchObject({
      gpuTypeId: CLUSTER_GPU,
      gpuCountPerPod: 8,
      podCount: 3,
      type: 'TRAINING',
      deployCost: 86.16,
      dataCenterId: 'CA-MTL-1',
      ports: '10022/tcp',
    });
    expect(Object.keys(input)).not.toContain('minCudaVersion');
    const [shell, option, script] = attempt.container?.command ?? [];
    expect(JSON.parse(String(input['dockerArgs'])) as unknown).toEqual({ entrypoint: [shell, option], cmd: [script] });
    expect(first).toMatchObject({ machineId: cluster().id, cloudName: attempt.cloudName, region: 'CA-MTL-1' });
    for (const { env } of world.fake.living)
      expect(env).toMatchObject({ NCCL_SOCKET_IFNAME: 'ens1', DSTACK_AGENT_OWNER: OWNER, RUNPOD_POD_USER: '0' });
  });

  it('gives each node the pod of its rank, with its address in the cluster', async () => {
    const { first } = await create(3);
    const nodes = [first, groups().member(first, 1), groups().member(first, 2)];
    const states = await Promise.all(nodes.map(readyAt));
    for (const [rank, state] of states.entries())
      expect(state).toMatchObject({
        state: 'ready',
        internalIp: `10.65.0.${2 + rank}`,
        agent: { via: 'ssh', port: 14_321 + rank },
      });
  });

  it('is waited for while its pods have no rank', async () => {
    for (const pod of world.fake.living) pod.door = null;
    const { first } = await create(2);
    for (const pod of world.fake.living) Object.assign(pod, { status: 'STARTING', door: null });
    expect(await world.compute.get(first, call())).toMatchObject({
      state: 'pending',
      reason: expect.stringContaining('rank') as string,
    });
  });

  it('of which one pod has ended has failed there, is gone when none is left, and goes on elsewhere', async () => {
    const { first } = await create(2);
    const [zero, one] = await Promise.all([readyAt(first), readyAt(groups().member(first, 1))]);
    const lost = world.fake.living.find((pod) => pod.cluster?.rank === 1);
    if (lost !== undefined) world.fake.lose(lost);
    expect(await world.compute.get(refOf(one), call())).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('others') as string,
    });
    expect((await world.compute.get(refOf(zero), call())).state).toBe('ready');
    for (const pod of world.fake.living) world.fake.lose(pod);
    expect((await world.compute.get(refOf(one), call())).state).toBe('gone');
  });

  it('that RunPod deletes by half is ended pod by pod', async () => {
    const { first } = await create(4);
    world.fake.leftBehind = 3;
    expect(await world.compute.terminate(first, call())).toBe('done');
    expect(world.fake.living).toEqual([]);
    expect(await world.compute.list(OWNER, call())).toEqual([]);
  });

  it('is not over while RunPod lists one of its pods', async () => {
    const { first } = await create(2);
    world.fake.leftBehind = 1;
    world.fake.stubborn = true;
    expect(await world.compute.terminate(first, call())).toBe('pending');
    world.fake.stubborn = false;
    expect(await world.compute.terminate(first, call())).toBe('done');
    expect(world.fake.living).toEqual([]);
  });

  it('that somebody deleted by half is listed, and ended by what its pods carry', async () => {
    const { attempt, first } = await create(3);
    world.fake.leftBehind = 2;
    await fetch(`${world.fake.url}/v2/clusters/${first.machineId}`, {
      method: 'DELETE',
      headers: { authorization: 'Bearer rpa_secret' },
    });
    const [listed, ...others] = await world.compute.list(OWNER, call());
    expect(others).toEqual([]);
    expect(listed).toMatchObject({ token: attempt.token, ref: { cloudName: attempt.cloudName } });
    expect(await world.compute.terminate(refOf({ state: 'found', ...listed }), call())).toBe('done');
    expect(world.fake.living).toEqual([]);
  });

  it('that was made and refused at once leaves nothing', async () => {
    world.fake.complainNext = 'Cluster creation failed';
    const attempt = await clusterAttempt(world.compute);
    expect(await failureOf(groups().create(attempt, 2, call()))).toMatchObject({ kind: 'no-capacity' });
    expect(world.fake.living).toEqual([]);
    expect(world.fake.livingClusters).toEqual([]);
  });

  it('there is no room for is no capacity', async () => {
    const attempt = await clusterAttempt(world.compute);
    world.fake.exhausted.add(CLUSTER_GPU);
    expect(await failureOf(groups().create(attempt, 2, call()))).toMatchObject({ kind: 'no-capacity' });
  });

  it.each<[string, number, object, RegExp]>([
    ['of nine pods', 9, {}, /not sold in clusters of 9/],
    ['with a network volume', 2, { container: testContainer({ mounts: [{ volumeId: 'v', path: '/d' }] }) }, /volume/],
  ])('%s is refused before RunPod is asked', async (_what, size, over, message) => {
    const attempt = await clusterAttempt(world.compute, over);
    const failure = await failureOf(groups().create(attempt, size, call()));
    expect(failure).toMatchObject({ kind: 'rejected', message: expect.stringMatching(message) as string });
    expect(world.fake.clusters.size).toBe(0);
  });

  it('of a private image has each pod told whom to pull as, once; the password goes with it', async () => {
    world.fake.privateImages.add('private/image');
    const container = testContainer({ image: 'private/image', registryAuth: { username: 'u', password: 's3same' } });
    const { first } = await create(2, { container });
    await Promise.all([readyAt(first), readyAt(groups().member(first, 1))]);
    const told = () => world.fake.requests.filter((request) => request.startsWith('PATCH /v2/pods/'));
    expect(told()).toHaveLength(2);
    expect(JSON.stringify([...world.fake.pods.values()])).not.toContain('s3same');
    expect(world.fake.registries).toHaveLength(1);
    await world.compute.list(OWNER, call());
    clock.aheadMs = 16 * 60_000;
    const later = { ...call(), deadline: Date.now() + clock.aheadMs + 10_000 };
    await world.compute.list(OWNER, later);
    expect(world.fake.registries).toHaveLength(1);
    expect(await world.compute.terminate(first, later)).toBe('done');
    expect(world.fake.registries).toEqual([]);
  });
});

it('texts are written into queries as GraphQL reads them', () => {
  const value = {
    name: 'a "b" \\ ${c}\n{}',
    count: 2,
    type: new GraphqlName('TRAINING'),
    env: [{ key: 'K', value: '' }],
  };
  expect(graphqlLiteral(value)).toBe(
    String.raw`{name: "a \"b\" \\ ${'${c}'}\n{}", count: 2, type: TRAINING, env: [{key: "K", value: ""}]}`,
  );
});
