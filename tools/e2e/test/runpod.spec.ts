import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakePod, RunpodFake } from '@dstack/cloud-fakes/runpod';
import { agentFolder, canRunContainers } from '../src/programs.js';
import { RentedContainers } from '../src/rented-containers.js';
import { serveAgents, type ServedAgents } from '../src/served-agents.js';
import { Stack } from '../src/stack.js';

const isPossible = canRunContainers();
if (!isPossible) console.warn('The stories of RunPod are left out: no container engine');

const API_KEY = 'rpa_secret';
/** Of RunPod's processors, which need no GPU on this machine. */
const CHEAP = 'resources: {cpu: 2, memory: 1GB.., gpu: 0, disk: 10GB..}';

(isPossible ? describe : describe.skip)('a team with an account at RunPod', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  const containers = new RentedContainers();
  let cloud: RunpodFake;
  let served: ServedAgents;
  let stack: Stack;

  const boot = (pod: FakePod) => {
    const { cmd, entrypoint } = JSON.parse(pod.dockerArgs) as { cmd: string[]; entrypoint: string[] };
    const [shell = '', ...options] = entrypoint;
    return containers.boot({ ...pod, entrypoint: shell, args: [...options, ...cmd] });
  };
  const task = (name: string, lines: string) =>
    stack.file(name, `type: task\nname: ${name}\n${lines}\n${CHEAP}\nbackends: [runpod]\n`);
  const apply = (name: string) => stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`]);

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    served = await serveAgents(() => join(stack.serverDir, 'agents'));
    cloud = await RunpodFake.start({ apiKey: API_KEY, boot, halt: (pod) => containers.halt(pod.id) });
    stack = new Stack({
      DSTACK_SERVER_AGENT_DIR: agents,
      DSTACK_SERVER_BACKEND_ENDPOINTS: `runpod=${cloud.url}`,
      DSTACK_AGENT_DOWNLOAD_URL: served.url,
    });
    await stack.start();
    await stack.api('/api/project/main/backends/create', {
      type: 'runpod',
      creds: { type: 'api_key', api_key: API_KEY },
    });
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await containers.close();
    await cloud.close();
    served.close();
    rmSync(agents, { recursive: true, force: true });
  });

  it('sees what RunPod has, where it has some', async () => {
    const { stdout } = await stack.cli(['offer', '--gpu', 'H100', '--backend', 'runpod']);
    expect(stdout).toMatch(/runpod \(EU-RO-1\) .*gpu=H100:80GB:1 .*\$2\.99/);
  });

  it.each(['dstack-test/busybox', 'dstack-test/musl'])(
    'runs a task in a pod of %s, which ends with it',
    async (image) => {
      const name = image.replace(/.*\//, '');
      task(name, `image: ${image}\nenv: [SECRET=s3same]\ncommands:\n  - echo "$DSTACK_RUN_NAME has $SECRET"\n  - env`);
      const run = await apply(name);
      expect(run.stdout + run.stderr).toContain(`${name} has s3same`);
      expect(run.stdout).not.toContain('DSTACK_AGENT_');
      expect(run.code).toBe(0);
      await stack.until('the pod to be given back', async () => containers.count === 0, 60_000);
      expect(cloud.living).toEqual([]);
      expect(cloud.violations).toEqual([]);
      // What RunPod shows of a pod tells nothing of the job.
      expect(JSON.stringify([...cloud.pods.values()])).not.toContain('s3same');
    },
    180_000,
  );

  it('runs the nodes of a task in a cluster, which know and reach each other, and of which nothing stays', async () => {
    const commands = [
      'echo "node $DSTACK_NODE_RANK of $DSTACK_NODES_NUM is $(hostname -i), all are" $DSTACK_NODES_IPS',
      'for ip in $DSTACK_NODES_IPS; do ping -c 1 -W 5 $ip >/dev/null && echo "node $DSTACK_NODE_RANK reaches $ip"; done',
    ];
    stack.file(
      'both',
      `type: task\nname: both\nnodes: 2\nimage: dstack-test/busybox\ncommands: ${JSON.stringify(commands)}\nresources: {gpu: 'H100:8', disk: 10GB..}\nbackends: [runpod]\n`,
    );
    cloud.leftBehind = 1;
    const run = await apply('both');
    expect(run.stdout).toMatch(/runpod \(CA-MTL-1\) .*H100:80GB:8 .*\$28\.72/);
    expect(run.code).toBe(0);
    const worker = await stack.cli(['logs', 'both', '--job', '1']);
    const nodes = [...cloud.pods.values()].flatMap((pod) => (pod.cluster === null ? [] : [pod]));
    const addresses = nodes.toSorted((a, b) => (a.cluster?.rank ?? 0) - (b.cluster?.rank ?? 0)).map(({ door }) => door?.internalIp ?? ''); // prettier-ignore
    expect(addresses).toHaveLength(2);
    for (const [rank, output] of [run.stdout + run.stderr, worker.stdout].entries()) {
      expect(output).toContain(`node ${rank} of 2 is ${addresses[rank]}, all are ${addresses.join(' ')}`);
      for (const address of addresses) expect(output).toContain(`node ${rank} reaches ${address}`);
    }
    // One call made both; RunPod's own deletion leaves a pod behind.
    expect(cloud.clusters.size).toBe(1);
    await stack.until('the cluster to be given back', async () => containers.count === 0, 60_000);
    expect([cloud.living, cloud.livingClusters]).toEqual([[], []]);
    expect(cloud.violations).toEqual([]);
  }, 180_000);

  it('gives a cluster back when one of its pods is lost, and tries its task again in another', async () => {
    const before = cloud.clusters.size;
    const wait = 'until [ -e /go ]; do sleep 0.2; done';
    stack.file(
      'lost',
      `type: task\nname: lost\nnodes: 2\nimage: dstack-test/busybox\ncommands: ${JSON.stringify([wait])}\nresources: {gpu: 'H100:8', disk: 10GB..}\nbackends: [runpod]\nretry: {on_events: [error], duration: 1h}\n`,
    );
    expect(await stack.cli(['apply', '-y', '-d', '-f', 'lost.dstack.yml'])).toMatchObject({ code: 0 });
    const isRunning = async () => (await stack.statusOf('lost')).includes('running');
    await stack.until('it to run', isRunning, 60_000);
    const [first] = [...cloud.clusters.values()].slice(before);
    const pod = cloud.living.find(({ cluster }) => cluster?.id === first?.id && cluster?.rank === 1);
    if (first === undefined || pod === undefined) throw new Error('no cluster');
    cloud.lose(pod);
    await stack.until('the cluster to be given back', async () => first.isDeleted, 60_000);
    const [, second] = await stack.until(
      'another cluster',
      async () => cloud.clusters.size === before + 2 && [...cloud.clusters.values()].slice(before),
      60_000,
    );
    await stack.until('it to run there', isRunning, 60_000);
    const nodes = cloud.living.filter(({ cluster }) => cluster?.id === second?.id);
    expect(nodes).toHaveLength(2);
    for (const { id } of nodes) await containers.run(id, 'touch /go');
    await stack.until('it to end', async () => /lost .* done /.test(await stack.statusOf('lost')), 60_000);
    await stack.until('the second to be given back', async () => containers.count === 0, 60_000);
    expect([cloud.living, cloud.livingClusters]).toEqual([[], []]);
    expect(cloud.violations).toEqual([]);
  }, 240_000);

  it('gives a task its volume, in the data center where that is', async () => {
    stack.file('data', 'type: volume\nname: data\nbackend: runpod\nregion: EU-RO-1\nsize: 100GB\n');
    expect(await stack.cli(['apply', '-y', '-f', 'data.dstack.yml'])).toMatchObject({ code: 0 });
    const before = cloud.pods.size;
    task('reader', 'image: dstack-test/musl\nvolumes: ["data:/data"]\ncommands: [echo done]');
    const run = await apply('reader');
    expect(run.stdout + run.stderr).toContain('done');
    expect(run.code).toBe(0);
    const [pod] = [...cloud.pods.values()].slice(before);
    expect(pod).toMatchObject({
      dataCenterId: 'EU-RO-1',
      volumeId: cloud.volumes[0]?.id,
      input: { volumeMountPath: '/data' },
    });
    await stack.until('the pod to be given back', async () => containers.count === 0, 60_000);
    expect(cloud.volumes).toHaveLength(1);
    expect(await stack.cli(['delete', '-y', '-f', 'data.dstack.yml'])).toMatchObject({ code: 0 });
    await stack.until('the volume to be gone', async () => cloud.volumes.length === 0, 60_000);
    expect(cloud.violations).toEqual([]);
  }, 180_000);
});
