import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Attempt, Compute } from '@dstack/backend-base';
import { describeCompute, testContainer } from '@dstack/backend-base/conformance';
import { A100_NODE, CPU_NODE } from '@dstack/cloud-fakes/kubernetes';
import { kubernetesModule } from '../src/compute.js';
import { kubernetesDefinition } from '../src/index.js';
import { attemptOf, call, CONTEXT, environment, NAMESPACE, query } from './support/kubernetes-world.js';
import { RealCluster, USER_TOKEN } from './support/real-cluster.js';

/** A directory with etcd, kube-apiserver and kube-scheduler. */
const binaries = process.env['DSTACK_TEST_KUBERNETES_BIN'] ?? '';
const isThere = ['etcd', 'kube-apiserver', 'kube-scheduler'].every((program) => existsSync(join(binaries, program)));

/** Bodies are taken, roles suffice and pods are placed by Kubernetes itself; only what nodes would do is made up. */
(isThere ? describe : describe.skip)('a real API server', () => {
  let cluster: RealCluster;
  let compute: Compute;

  const kubeconfig = () =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: cluster.url, 'certificate-authority-data': cluster.authority } }],
      users: [{ name: 'u', user: { token: USER_TOKEN } }],
      contexts: [{ name: CONTEXT, context: { cluster: 'c', user: 'u', namespace: NAMESPACE } }],
    });
  const config = () =>
    kubernetesDefinition.configSchema.parse({ type: 'kubernetes', kubeconfig: { data: kubeconfig() }, contexts: [CONTEXT] }); // prettier-ignore

  beforeAll(async () => {
    cluster = await RealCluster.start(binaries, [CPU_NODE, A100_NODE]);
    compute = await kubernetesModule.open(config(), { ...environment(), agentImage: 'registry.example/agent' });
  }, 120_000);
  afterAll(async () => {
    await compute.close?.();
    cluster.close();
  });

  it('finds the configuration right', async () => {
    expect(await kubernetesModule.validate?.(config(), environment(), AbortSignal.timeout(10_000))).toEqual([]);
  });

  describeCompute('kubernetes, really', async () => {
    const owner = randomUUID();
    await cluster.uncordonAll();
    return {
      definition: kubernetesDefinition,
      compute,
      owner,
      settleMs: 10_000,
      attempt: async () => attemptOf(await compute.offers(query({ cpu: { count: { min: 1 } }, memory: { min: 0.1 }, disk: { size: { min: 1 } } }), call()), { owner }), // prettier-ignore
      exhaust: () => cluster.cordonAll(),
      close: async () => {
        for (const { ref } of await compute.list(owner, call())) await gone(compute, ref);
      },
    };
  });

  it('takes a pod with GPUs, a registry, shared memory and tags, and gives all of it back', async () => {
    await cluster.uncordonAll();
    const gpus = query({ cpu: { count: { min: 2 } }, memory: { min: 8 }, disk: { size: { min: 10 } }, gpu: { count: { min: 2 } } }); // prettier-ignore
    const offer = (await compute.offers(gpus, call())).filter(({ instance }) => instance.resources.gpus.length === 2);
    const container = testContainer({
      registryAuth: { username: 'me', password: 'secret' },
      shmSizeBytes: 2 ** 30,
      privileged: true,
      env: { A: 'b' },
    });
    const attempt: Attempt = attemptOf(offer, { container, tags: { team: 'vision', 'not a label!': 'x' }, owner: randomUUID() }); // prettier-ignore
    const created = await compute.create(attempt, call());
    expect(created).toMatchObject({ ref: { cloudName: attempt.cloudName } });
    expect((await cluster.names('secrets')).sort()).toHaveLength(3);
    if (created.state !== 'gone') await gone(compute, created.ref);
    for (const resource of ['pods', 'services', 'secrets']) expect(await cluster.names(resource)).toEqual([]);
  });

  it('keeps volumes', async () => {
    const configuration = {
      backend: 'kubernetes',
      region: CONTEXT,
      size: 10,
      access_modes: ['ReadWriteOnce'],
    } as const;
    const request = { configuration: { ...configuration, access_modes: ['ReadWriteOnce'] }, token: randomUUID(), cloudName: 'dstack-data-1', owner: randomUUID() }; // prettier-ignore
    const volume = await compute.volumes?.create(request, call());
    expect(volume).toMatchObject({ volumeId: 'dstack-data-1', sizeGb: 10, attachable: false });
    expect(await compute.volumes?.list(request.owner, call())).toEqual([
      { ...volume, cloudName: request.cloudName, token: request.token },
    ]);
    if (volume === undefined) throw new Error('no volume');
    await compute.volumes?.delete(volume, call());
  });
});

async function gone(compute: Compute, ref: Parameters<Compute['terminate']>[0]): Promise<void> {
  const until = Date.now() + 10_000;
  while ((await compute.terminate(ref, call())) !== 'done' || (await compute.get(ref, call())).state !== 'gone')
    if (Date.now() > until) throw new Error('the pod stays');
}
