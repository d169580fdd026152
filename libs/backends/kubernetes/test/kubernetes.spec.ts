import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Attempt, isBackendError, type MachineState } from '@dstack/backend-base';
import { testContainer } from '@dstack/backend-base/conformance';
import { A100_NODE, CPU_NODE, KubernetesFake, type PodSpec, type Stored } from '@dstack/cloud-fakes/kubernetes';
import { kubernetesModule } from '../src/compute.js';
import {
  attemptOf,
  call,
  configOf,
  CONTEXT,
  documentedRoles,
  environment,
  kubeconfig,
  type KubernetesWorld,
  NAMESPACE,
  query,
  startKubernetesWorld,
  TOKEN,
} from './support/kubernetes-world.js';

let world: KubernetesWorld;
beforeEach(async () => {
  world = await startKubernetesWorld();
});
afterEach(async () => {
  await world.close();
});

const SMALL = query({ cpu: { count: { min: 1 } } });
const GPUS = query({
  cpu: { count: { min: 4 } },
  memory: { min: 8 },
  disk: { size: { min: 10 } },
  gpu: { count: { min: 2 } },
});
const objects = (resource: string): Stored[] => world.fake.objects.list(resource, NAMESPACE);
const jobPods = () => objects('pods').filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === 'dstack-job'); // prettier-ignore
const specOf = (pod?: Stored) => pod?.spec as unknown as PodSpec; // as it was checked
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );
const gpuAttempt = async (over: Partial<Attempt> = {}) => {
  const offers = await world.compute.offers(GPUS, call());
  return attemptOf(offers.filter(({ instance }) => instance.resources.gpus.length === 2), over); // prettier-ignore
};
const refOf = (state: MachineState) => {
  if (state.state === 'gone') throw new Error('gone');
  return state.ref;
};
const gone = async (state: MachineState) => {
  while ((await world.compute.terminate(refOf(state), call())) !== 'done') await new Promise(setImmediate);
};

describe('offers of a cluster', () => {
  it('are its nodes, cut to what is asked', async () => {
    const offers = await world.compute.offers(GPUS, call());
    expect(
      offers.map(({ instance, region }) => [region, instance.name, instance.resources.gpus.map(({ name }) => name)]),
    ).toEqual([
      [CONTEXT, 'cpu-1', []],
      [CONTEXT, 'gpu-1', ['A100', 'A100']],
    ]);
    expect(world.fake.violations).toEqual([]);
  });

  it('are what is free, when that is asked', async () => {
    await gone(await world.compute.create(await gpuAttempt(), call()));
    await world.compute.create(await gpuAttempt(), call());
    const free = await world.compute.offers({ ...GPUS, unallocated: true, fullOffers: true }, call());
    expect(free.find(({ instance }) => instance.name === 'gpu-1')?.instance.resources).toMatchObject({ cpus: 91, gpus: Array(6).fill({ name: 'A100', vendor: 'nvidia', memory_mib: 81_920 }) }); // prettier-ignore
  });

  it('are asked for once in three minutes, page by page', async () => {
    world.fake.pageSize = 1;
    expect(await world.compute.offers(SMALL, call())).toHaveLength(2);
    await world.compute.offers(GPUS, call());
    expect(world.fake.requests).toEqual(['list nodes', 'list nodes']);
  });

  it('are those of the others where one cluster fails, which is told', async () => {
    const other = await KubernetesFake.start({ ...world.fake.options, nodes: [CPU_NODE] });
    const text = JSON.stringify({
      clusters: [
        { name: 'a', cluster: { server: 'http://127.0.0.1:1' } },
        { name: 'b', cluster: { server: other.url } },
      ],
      users: [{ name: 'u', user: { token: TOKEN } }],
      contexts: ['a', 'b'].map((name) => ({ name, context: { cluster: name, user: 'u', namespace: NAMESPACE } })),
    });
    const told = environment();
    const compute = await kubernetesModule.open(
      configOf('', { kubeconfig: { data: text }, contexts: ['a', 'b'] }),
      told,
    );
    expect((await compute.offers(SMALL, call())).map(({ region }) => region)).toEqual(['b']);
    expect(told.said.join()).toContain('No offers of a cluster');
    await compute.close?.();
    await other.close();
  });

  it('are refused where no cluster answers us', async () => {
    const data = kubeconfig(world.fake.url, { token: 'wrong' });
    const compute = await kubernetesModule.open(configOf('', { kubeconfig: { data } }), environment());
    expect(await failureOf(compute.offers(SMALL, call()))).toEqual({ kind: 'credentials', blocks: 'region', message: 'Unauthorized' }); // prettier-ignore
  });
});

describe('a pod', () => {
  it('has what was promised, on any node with such GPUs, and nothing it does not need', async () => {
    const attempt = await gpuAttempt({
      tags: { team: 'vision', 'not a label!': 'x' },
      container: testContainer({
        image: 'ghcr.io/team/train:1',
        registryAuth: { username: 'me', password: 'sesame' },
        privileged: true,
        shmSizeBytes: 2 ** 30,
        env: { A: 'b' },
        mounts: [{ volumeId: 'claim-1', path: '/data' }],
      }),
    });
    await world.compute.create(attempt, call());
    const [pod] = jobPods();
    expect(pod?.metadata.labels).toMatchObject({ team: 'vision', 'k8s.dstack.ai/server': attempt.owner, 'k8s.dstack.ai/attempt': attempt.token, 'k8s.dstack.ai/project': 'main' }); // prettier-ignore
    expect(world.said.join()).toContain('not a label!');
    expect(pod?.spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      imagePullSecrets: [{ name: `${attempt.cloudName}-registry-auth` }],
      initContainers: [{ image: 'registry.example/agent', args: ['copy-to', '/dstack-agent'] }],
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
      containers: [
        {
          image: 'ghcr.io/team/train:1',
          securityContext: { runAsUser: 0, privileged: true, capabilities: { add: ['SYS_RESOURCE'] } },
          resources: {
            requests: { cpu: '4', memory: '8192Mi', 'ephemeral-storage': '10240Mi', 'nvidia.com/gpu': '2' },
            limits: { 'nvidia.com/gpu': '2' },
          },
        },
      ],
      volumes: [{ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '1073741824' } }, { name: 'agent' }, { persistentVolumeClaim: { claimName: 'claim-1' } }], // prettier-ignore
    });
    const terms = specOf(pod).affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    expect(terms).toEqual([
      {
        matchExpressions: [
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
          { key: 'nvidia.com/gpu.product', operator: 'In', values: ['NVIDIA-A100-SXM4-80GB'] },
        ],
      },
    ]);
    expect(JSON.stringify(pod)).not.toContain('sesame');
    expect(world.fake.violations).toEqual([]);
  });

  it('without GPUs gets none, whatever its image asks for', async () => {
    await world.compute.create(await world.attempt(), call());
    expect(specOf(jobPods()[0]).containers[0]?.env).toContainEqual({ name: 'NVIDIA_VISIBLE_DEVICES', value: 'void' });
  });

  it('fetches the agent by itself where no image has it', async () => {
    const own = await startKubernetesWorld({ agentImage: null });
    const attempt = await own.attempt();
    await own.compute.create(attempt, call());
    const pods = own.fake.objects.list('pods', NAMESPACE).map(({ spec }) => spec as unknown as PodSpec);
    expect(pods.map(({ containers }) => containers[0]?.command)).toEqual([attempt.container?.command, attempt.container?.command]); // prettier-ignore
    expect(pods.flatMap(({ initContainers = [] }) => initContainers)).toEqual([]);
    await own.close();
  });

  it('is reached through the jump pod, and shows the key it was given', async () => {
    const state = await world.compute.create(await world.attempt(), call());
    const ready = await until(
      async () => world.compute.get(refOf(state), call()),
      ({ state: is }) => is === 'ready',
    );
    expect(ready).toMatchObject({
      agent: {
        via: 'ssh',
        port: 10_022,
        hostKey: expect.stringMatching(/^ecdsa-sha2-nistp256 AAAA/) as string,
        jump: { host: CPU_NODE.externalIp, user: 'root' },
      },
    });
  });

  it('of a cluster without external addresses never gets ready, and it is told what to do', async () => {
    const { externalIp: _none, ...node } = CPU_NODE;
    const own = await startKubernetesWorld({ nodes: [node] });
    const state = await own.compute.create(await own.attempt(), call());
    const failed = await until(
      async () => own.compute.get(refOf(state), call()),
      ({ state: is }) => is === 'failed',
    );
    expect(failed).toMatchObject({ message: expect.stringContaining('proxy_jump.hostname') as string });
    await own.close();
  });

  it('that has ended, or cannot start, has failed', async () => {
    const runner = {
      start: async () => ({ ip: '10.244.0.2', ended: Promise.resolve(12) }),
      stop: async () => undefined,
    };
    const own = await startKubernetesWorld({ runner });
    const state = await own.compute.create(await own.attempt(), call());
    const failed = await until(
      async () => own.compute.get(refOf(state), call()),
      ({ state: is }) => is === 'failed',
    );
    expect(failed).toMatchObject({ message: 'container job ended with 12 (Error)' });
    await own.close();
  });
});

describe('a create', () => {
  const create = async () => failureOf(world.compute.create(await world.attempt(), call()));

  it.each([
    [403, 'Forbidden', 'pods "p" is forbidden: exceeded quota: compute', 'quota', 'offer'],
    [403, 'Forbidden', 'pods is forbidden: User "x" cannot create resource "pods"', 'credentials', 'region'],
    [422, 'Invalid', 'Pod "p" is invalid: privileged: disallowed by cluster policy', 'rejected', 'offer'],
    [500, 'InternalError', 'etcd is gone', 'outage', 'region'],
  ])('refused with %d %s (%s) is %s', async (status, reason, message, kind, blocks) => {
    const attempt = await world.attempt();
    await world.compute.create(await world.attempt(), call());
    const before = objects('secrets').length;
    world.fake.refuseNext('create pods', status, reason, message);
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({ kind, blocks });
    expect(jobPods()).toHaveLength(1);
    // Of an outage nobody knows: the next try, or the end of the attempt, finds what is left.
    if (kind !== 'outage') expect(objects('secrets')).toHaveLength(before);
  });

  it('that is refused leaves no way in behind', async () => {
    world = await reopened({ config: { contexts: [{ name: CONTEXT, proxy_jump: { port: 80 } }] } });
    expect(await create()).toMatchObject({ kind: 'rejected', message: expect.stringContaining('30000-32767') as string }); // prettier-ignore
    for (const resource of ['pods', 'services', 'secrets']) expect(await settled(() => objects(resource))).toEqual([]);
  });

  it('makes the namespace where it is missing and that is allowed', async () => {
    const [namespace] = world.fake.objects.list('namespaces', null);
    if (namespace !== undefined) world.fake.objects.remove('namespaces', namespace);
    expect(await create()).toBeNull();
    expect(world.fake.violations).toEqual([]);
  });

  it('waits as long as it is told to', async () => {
    world.fake.refuseNext('create pods', 429, 'TooManyRequests', 'slow down', { 'retry-after': '1' });
    expect(await create()).toBeNull();
  });

  it('never shows the token', async () => {
    const attempt = await world.attempt();
    world.fake.refuseNext('create secrets', 400, 'BadRequest', `bad token ${TOKEN}`);
    expect(await failureOf(world.compute.create(attempt, call()))).toMatchObject({ message: 'bad token ***' });
  });

  it('is told which GPUs there are none of any more', async () => {
    const attempt = await gpuAttempt();
    const offer = structuredClone(attempt.offer);
    offer.instance.resources.gpus = [{ name: 'H100', vendor: 'nvidia', memory_mib: 81_920 }];
    expect(await failureOf(world.compute.create({ ...attempt, offer }, call()))).toMatchObject({ kind: 'no-capacity', message: expect.stringContaining('H100') as string }); // prettier-ignore
  });

  it('uses the port it was given, and the host', async () => {
    world = await reopened({ config: { contexts: [{ name: CONTEXT, proxy_jump: { hostname: 'jump.example', port: 32_000 } }] } }); // prettier-ignore
    const state = await world.compute.create(await world.attempt(), call());
    const ready = await until(
      async () => world.compute.get(refOf(state), call()),
      ({ state: is }) => is === 'ready',
    );
    expect(ready).toMatchObject({ agent: { jump: { host: 'jump.example', port: 32_000 } } });
  });
});

describe('the jump pod', () => {
  it('stays while somebody needs it, and goes with the last', async () => {
    const first = await world.compute.create(await world.attempt(), call());
    const second = await world.compute.create(await world.attempt(), call());
    expect(objects('services')).toHaveLength(1);
    await gone(first);
    expect(objects('services')).toHaveLength(1);
    await gone(second);
    for (const resource of ['pods', 'services', 'secrets']) expect(await settled(() => objects(resource))).toEqual([]);
    expect(world.fake.violations).toEqual([]);
  });

  it('is made again when it is lost', async () => {
    const state = await world.compute.create(await world.attempt(), call());
    const [jump] = objects('pods').filter((pod) => !jobPods().includes(pod));
    if (jump !== undefined) world.fake.objects.remove('pods', jump);
    const ready = await until(
      async () => world.compute.get(refOf(state), call()),
      ({ state: is }) => is === 'ready',
    );
    expect(ready.state).toBe('ready');
    expect(objects('pods')).toHaveLength(2);
  });

  it('goes among the GPUs where there is nowhere else', async () => {
    world = await reopened({ nodes: [A100_NODE] });
    await world.compute.create(await gpuAttempt(), call());
    const [jump] = objects('pods').filter((pod) => !jobPods().includes(pod));
    expect(specOf(jump).tolerations?.map(({ key }) => key)).toEqual(['nvidia.com/gpu', 'amd.com/gpu']);
  });
});

describe('volumes', () => {
  const configuration = { backend: 'kubernetes' as const, region: CONTEXT, size: 10.2, storage_class_name: 'fast' };

  it('are claims, made once, listed by owner and deleted', async () => {
    const request = { configuration, token: 't', cloudName: 'dstack-data', owner: 'o' };
    const volume = await world.compute.volumes?.create(request, call());
    expect(await world.compute.volumes?.create(request, call())).toEqual(volume);
    expect(objects('persistentvolumeclaims')[0]?.spec).toEqual({ accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '11Gi' } } }); // prettier-ignore
    expect(volume).toMatchObject({ volumeId: 'dstack-data', sizeGb: 11, attachable: false });
    expect(await world.compute.volumes?.list('o', call())).toEqual([
      { ...volume, cloudName: 'dstack-data', token: 't' },
    ]);
    expect(await world.compute.volumes?.list('p', call())).toEqual([]);
    if (volume === undefined) throw new Error('no volume');
    expect(await world.compute.volumes?.delete(volume, call())).toBe('pending');
    expect(await world.compute.volumes?.delete(volume, call())).toBe('done');
    expect(world.fake.violations).toEqual([]);
  });

  it('outlive the pods that mount them', async () => {
    const request = { configuration, token: 't', cloudName: 'dstack-data', owner: 'o' };
    const { volumeId = '' } = (await world.compute.volumes?.create(request, call())) ?? {};
    const container = testContainer({ mounts: [{ volumeId, path: '/data' }] });
    for (let pods = 0; pods < 2; pods += 1) {
      const state = await world.compute.create(await gpuAttempt({ container }), call());
      expect(specOf(jobPods()[0]).volumes).toContainEqual({ persistentVolumeClaim: { claimName: volumeId }, name: expect.any(String) as string }); // prettier-ignore
      await gone(state);
      expect(jobPods()).toEqual([]);
      expect(objects('persistentvolumeclaims').map(({ metadata }) => metadata.name)).toEqual([volumeId]);
    }
  });

  it('that are there already are registered, and others are missed', async () => {
    await world.compute.volumes?.create({ configuration, token: 't', cloudName: 'own', owner: 'o' }, call());
    const named = (claim_name: string) => ({ backend: 'kubernetes' as const, region: CONTEXT, claim_name });
    expect(await world.compute.volumes?.register(named('own'), call())).toMatchObject({ volumeId: 'own', sizeGb: 11 });
    expect(await failureOf(Promise.resolve(world.compute.volumes?.register(named('nope'), call())))).toMatchObject({ kind: 'not-found' }); // prettier-ignore
  });
});

describe('the configuration', () => {
  const validate = (config = configOf(world.fake.url)) =>
    kubernetesModule.validate?.(config, environment(), AbortSignal.timeout(5_000));
  const sent = (data: string) => configOf('', { kubeconfig: { data } });

  it('works', async () => {
    expect(await validate()).toEqual([]);
  });

  it.each([
    ['a context that is not there', () => configOf(world.fake.url, { contexts: ['mars'] }), ['kubeconfig'], 'has no context mars'],
    ['text that is none', () => sent('just words'), ['kubeconfig'], 'is not a kubeconfig'],
    ['a token that is refused', () => sent(kubeconfig(world.fake.url, { token: 'wrong' })), ['kubeconfig'], `context ${CONTEXT}: Unauthorized`],
    ['a cluster that does not answer', () => sent(kubeconfig('http://127.0.0.1:1')), ['kubeconfig'], `context ${CONTEXT}: no answer`],
    ['a program', () => sent(kubeconfig(world.fake.url, { exec: { apiVersion: 'v1', command: 'x' } })), ['kubeconfig', 'data'], 'runs a program'],
    ['a file', () => sent(kubeconfig(world.fake.url, { tokenFile: '/t' })), ['kubeconfig', 'data'], 'give token instead'],
  ])('with %s is wrong', async (_what, config, path, message) => {
    const [issue] = (await validate(config())) ?? [];
    expect(issue).toEqual({ path, message: expect.stringContaining(message) as string });
  }); // prettier-ignore
});

describe('credentials of the server’s own file', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });
  const openWith = (user: object, now: () => number = Date.now) => {
    const filename = join(dir, 'config');
    const config = configOf('', { kubeconfig: { filename, data: kubeconfig(world.fake.url, user) } });
    return kubernetesModule.open(config, { ...environment(), now });
  };

  it('come from a program, which is asked again before they expire', async () => {
    const plugin = join(dir, 'plugin');
    const expires = new Date(Date.now() + 600_000).toISOString();
    const reply = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: TOKEN, expirationTimestamp: expires } }; // prettier-ignore
    writeFileSync(plugin, `#!/bin/sh\nprintf '%s %s\\n' "$KUBERNETES_EXEC_INFO" "$OWN" >> ${dir}/asked\necho '${JSON.stringify(reply)}'\n`); // prettier-ignore
    chmodSync(plugin, 0o755);
    let now = Date.now();
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, env: [{ name: 'OWN', value: 'v' }], provideClusterInfo: true }; // prettier-ignore
    const compute = await openWith({ exec }, () => now);
    await compute.list('o', { ...call(), deadline: now + 10_000 });
    await compute.list('o', { ...call(), deadline: now + 10_000 });
    const asked = () => readFileSync(join(dir, 'asked'), 'utf8').trim().split('\n');
    expect(asked()).toHaveLength(1);
    expect(asked()[0]).toContain(`"server":"${world.fake.url}"`);
    now += 550_000;
    await compute.list('o', { ...call(), deadline: now + 10_000 });
    expect(asked()).toHaveLength(2);
    await compute.close?.();
  });

  it('of a program that fails are missed, without what it printed', async () => {
    const compute = await openWith({ exec: { apiVersion: 'v1', command: 'sh', args: ['-c', 'echo secret; exit 3'] } });
    expect(await failureOf(compute.list('o', call()))).toEqual({
      kind: 'credentials',
      blocks: 'region',
      message: 'the credential plugin of the kubeconfig failed: sh ended with 3',
    });
  });

  it('come from a file beside it, which is read again', async () => {
    writeFileSync(join(dir, 'token'), `${TOKEN}\n`);
    const compute = await openWith({ tokenFile: 'token' });
    expect(await compute.list('o', call())).toEqual([]);
    rmSync(join(dir, 'token'));
    const later = await openWith({ tokenFile: 'token' });
    expect(await failureOf(later.list('o', call()))).toMatchObject({ kind: 'credentials' });
  });

  it('are a name and a password, of old', async () => {
    const compute = await openWith({ username: 'me', password: 'sesame' });
    expect(await failureOf(compute.list('o', call()))).toMatchObject({ message: 'Unauthorized' });
  });
});

async function reopened(options: Parameters<typeof startKubernetesWorld>[0]): Promise<KubernetesWorld> {
  await world.close();
  return startKubernetesWorld(options);
}

async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const answer = await ask();
    if (is(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${JSON.stringify(answer)}`);
    await new Promise(setImmediate);
  }
}

/** What is left once nodes have stopped what was to be stopped. */
async function settled(ask: () => Stored[]): Promise<Stored[]> {
  return until(async () => ask(), (left) => left.length === 0); // prettier-ignore
}

it('is sure of the roles that are documented', () => {
  expect(documentedRoles().namespaced.length).toBeGreaterThan(3);
});
