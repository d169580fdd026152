import { isBackendError, type MachineState } from '@dstack/backend-base';
import { gatewayState } from '../src/gateway-state.js';
import {
  attemptOf,
  call,
  environment,
  type KubernetesWorld,
  OWNER,
  PUBLIC_KEY,
  query,
  startKubernetesWorld,
} from './support/kubernetes-world.js';

let world: KubernetesWorld;
beforeEach(async () => {
  world = await startKubernetesWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const ALL = query({ cpu: { count: { min: 1 } }, memory: { min: 0.25 }, disk: { size: { min: 1 } } });
const replica = async (over: object = {}) => ({
  ...attemptOf(await world.compute.offers(ALL, call()), { cloudName: 'dstack-main-edge-0a1b2c3d', instanceName: 'edge-0', tags: { team: 'web' } }),
  container: null,
  publicIp: true,
  instanceType: null, balancer: null,
  ...over,
}); // prettier-ignore
const gateways = () => {
  const { gateways: support } = world.compute;
  if (support === undefined) throw new Error('no gateways');
  return support;
};
const refOf = (state: MachineState) => {
  if (state.state === 'gone') throw new Error('it is gone');
  return state.ref;
};
const until = async (ref: ReturnType<typeof refOf>, wanted: MachineState['state']): Promise<MachineState> => {
  const { sleep } = environment();
  for (let tries = 0; tries < 400; tries += 1) {
    const state = await world.compute.get(ref, call());
    if (state.state === wanted) return state;
    await sleep(5, call().signal);
  }
  throw new Error(`it never was ${wanted}`);
};
const kinds = () => ['pods', 'services', 'secrets'].map((resource) => world.fake.objects.list(resource, null).length);
const remove = async (ref: ReturnType<typeof refOf>) => {
  const { sleep } = environment();
  while ((await gateways().terminateReplica(ref, call())) !== 'done') await sleep(5, call().signal);
};

describe('a gateway on Kubernetes', () => {
  it('is a pod with a load balancer, where the server logs in with the key of the project', async () => {
    const made = await gateways().createReplica(await replica(), call());
    const ready = await until(refOf(made), 'ready');
    expect(ready).toMatchObject({
      agent: { via: 'login', host: expect.stringMatching(/^10\.244\./) as string, port: 22, user: 'root', jump: null },
      hostname: expect.stringMatching(/^10\.244\./) as string,
    });
    const [pod] = world.fake.objects.list('pods', null);
    const [service] = world.fake.objects.list('services', null);
    expect(pod?.metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'dstack-gateway', team: 'web' });
    expect(JSON.stringify(pod?.spec)).toContain(PUBLIC_KEY);
    expect(pod?.spec).toMatchObject({ restartPolicy: 'Never', containers: [{ image: 'ubuntu:22.04' }] });
    expect(service?.spec).toMatchObject({
      type: 'LoadBalancer',
      selector: { 'app.kubernetes.io/instance': pod?.metadata.name },
      ports: [{ port: 22 }, { port: 80 }, { port: 443 }],
    });
    await remove(refOf(made));
    expect(kinds()).toEqual([0, 0, 0]);
  });

  it('is one, however often it is asked for, and is listed as a machine of its server', async () => {
    const asked = await replica();
    const [one, other] = await Promise.all([gateways().createReplica(asked, call()), gateways().createReplica(asked, call())]); // prettier-ignore
    expect(refOf(one).machineId).toBe(refOf(other).machineId);
    expect(kinds()).toEqual([1, 1, 0]);
    const listed = await world.compute.list(OWNER, call());
    expect(listed).toMatchObject([{ ref: refOf(one), owner: OWNER, token: asked.token }]);
    expect(await world.compute.list('another', call())).toEqual([]);
    // As one that nobody knows any more is ended.
    for (const { ref } of listed) while ((await world.compute.terminate(ref, call())) !== 'done') continue;
    expect(kinds()).toEqual([0, 0, 0]);
  });

  it.each(['create pods', 'create services'])('of which nothing is left when %s is refused', async (what) => {
    world.fake.refuseNext(what, 403, 'Forbidden', 'exceeded quota: services.loadbalancers');
    const refused: unknown = await gateways().createReplica(await replica(), call()).then(null, (error: unknown) => error); // prettier-ignore
    expect(isBackendError(refused) && refused.failure.kind).toBe('quota');
    for (let tries = 0; tries < 200 && kinds().some((count) => count > 0); tries += 1) await environment().sleep(5, call().signal); // prettier-ignore
    expect(kinds()).toEqual([0, 0, 0]);
  });

  it('waits for its address, and gets another service when somebody deletes its own', async () => {
    world.fake.balancesLoad = false;
    const made = await gateways().createReplica(await replica(), call());
    const ref = refOf(made);
    const { name } = world.fake.objects.list('pods', null)[0]?.metadata ?? { name: '' };
    for (;;) {
      const state = await world.compute.get(ref, call());
      if (state.state === 'pending' && state.reason === `service ${name} has no address yet`) break;
    }
    const [service] = world.fake.objects.list('services', null);
    if (service !== undefined) world.fake.objects.remove('services', service);
    world.fake.balancesLoad = true;
    await until(ref, 'ready');
    await remove(ref);
  });

  it.each([
    [{ instanceType: 'large' }, /remove `instance_type`/],
    [{ publicIp: false }, /remove `public_ip: false`/],
  ])('that is to be %p is refused', async (over, message) => {
    await expect(gateways().createReplica(await replica(over), call())).rejects.toThrow(message);
    expect(kinds()).toEqual([0, 0, 0]);
  });

  it('is gone when its pod is, and its service with it', async () => {
    const ref = refOf(await gateways().createReplica(await replica(), call()));
    await until(ref, 'ready');
    const [pod] = world.fake.objects.list('pods', null);
    if (pod !== undefined) world.fake.objects.remove('pods', pod);
    expect(await world.compute.get(ref, call())).toEqual({ state: 'gone' });
    await remove(ref);
    expect(kinds()).toEqual([0, 0, 0]);
  });
});

const NOW = Date.parse('2026-01-01T00:20:00Z');
const pod = (status: object, createdAt = '2026-01-01T00:19:00Z') => ({
  metadata: { name: 'edge', uid: 'u', labels: {}, annotations: {}, creationTimestamp: createdAt },
  spec: { containers: [] },
  status,
});
const service = (ingress: object[]) => ({
  metadata: { name: 'edge', uid: 's', labels: {}, annotations: {} },
  spec: {},
  status: { loadBalancer: { ingress } },
});
const running = { phase: 'Running', podIP: '10.0.0.1' };
const full = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no room' }] }; // prettier-ignore
const OLD = '2026-01-01T00:00:00Z';

it.each([
  ['a pod without a node', pod(full), null, { state: 'pending', reason: 'no room' }],
  ['one that never gets a node', pod(full, OLD), null, { state: 'failed', message: 'no room' }],
  ['one that ended', pod({ phase: 'Failed', reason: 'Evicted' }), null, { state: 'failed', message: 'Evicted' }],
  ['a service without an address', pod(running), service([]), { state: 'pending' }],
  ['one that never gets an address', pod(running, OLD), service([]), { state: 'failed', message: expect.stringContaining('nothing that serves services of type LoadBalancer') as string }],
  ['an address', pod(running), service([{ ip: '203.0.113.1' }]), { state: 'ready', hostname: '203.0.113.1' }],
  ['a name', pod(running, OLD), service([{ hostname: 'a.elb.example', ip: null }]), { state: 'ready', hostname: 'a.elb.example' }],
])('a gateway with %s', (_what, from, its, expected) => {
  expect(gatewayState(from, its, NOW)).toMatchObject(expected);
}); // prettier-ignore
