import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DockerPods, type FakeNode, KubernetesFake, type Roles, type Rule } from '@dstack/cloud-fakes/kubernetes';
import { loadAll } from 'js-yaml';
import { buildAgentImage } from '../src/agent-image.js';
import { isFullRun } from '../src/full-run.js';
import { canRunContainers, repositoryRoot, TEST_IMAGE } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const execute = promisify(execFile);
const why = canRunContainers() ? null : 'no container engine';
if (why !== null) console.warn(`The story of Kubernetes is left out: ${why}`);

const inFull = isFullRun ? it : it.skip;
const TOKEN = 'token-of-the-account';
const SMALL = 'resources: {cpu: 1, memory: 1GB.., gpu: 0, disk: 1GB..}';

const LOOPBACK = '127.0.0.1';
const NODE: FakeNode = {
  name: 'worker-1',
  labels: {},
  allocatable: { cpu: '3900m', memory: '8Gi', 'ephemeral-storage': '200Gi' },
  externalIp: LOOPBACK,
};

/** Of a run of one job. */
interface RunAsFarAsNeeded {
  readonly jobs: readonly [
    {
      readonly job_submissions: readonly [
        {
          readonly job_provisioning_data: {
            readonly hostname: string;
            readonly ssh_proxy: { readonly hostname: string; readonly port: number };
          };
        },
      ];
    },
  ];
}

function documentedRoles(): Roles {
  const text = readFileSync(join(repositoryRoot, 'docs/backends/kubernetes-rbac.yaml'), 'utf8');
  const roles = loadAll(text) as { kind: string; rules: Rule[] }[]; // the manifest's own shape
  const rulesOf = (kind: string): Rule[] => roles.find((role) => role.kind === kind)?.rules ?? [];
  return { cluster: rulesOf('ClusterRole'), namespaced: rulesOf('Role') };
}

/** A cluster whose pods are containers of this machine. */
(why === null ? describe : describe.skip)('a team with a cluster', () => {
  let pods: DockerPods;
  let cluster: KubernetesFake;
  let stack: Stack;

  const kubeconfig = (user: object): string =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: cluster.url } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'in-house', context: { cluster: 'c', user: 'u', namespace: 'dstack' } }],
    });
  const create = (user: object) =>
    stack.api('/api/project/main/backends/create', {
      type: 'kubernetes',
      kubeconfig: { data: kubeconfig(user) },
      contexts: ['in-house'],
    });

  beforeAll(async () => {
    pods = await DockerPods.start();
    cluster = await KubernetesFake.start({
      token: TOKEN,
      roles: documentedRoles(),
      namespace: 'dstack',
      nodes: [NODE],
      runner: pods,
      openNodePorts: LOOPBACK,
    });
    stack = new Stack({ DSTACK_AGENT_IMAGE: buildAgentImage() });
    await stack.start();
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await cluster.close();
    await pods.close();
  });

  it('is told when its token is wrong', async () => {
    await expect(create({ token: 'wrong' })).rejects.toThrow(/kubeconfig: context in-house: Unauthorized/);
  });

  it('cannot have the server run a program', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: ['/tmp/was-here'] };
    await expect(create({ exec })).rejects.toThrow('runs a program on the server');
  });

  it('sees the room of its nodes', async () => {
    await create({ token: TOKEN });
    const { stdout } = await stack.cli(['offer', '--backend', 'kubernetes', '--cpu', '2', '--memory', '1GB..', '--disk', '1GB..']); // prettier-ignore
    expect(stdout).toMatch(/kubernetes \(in-house\) .*cpu=2 mem=1GB .*worker-1 +\$0/);
  });

  it('keeps what the kubeconfig holds from others', async () => {
    const project = await stack.api<{ backends: unknown }>('/api/projects/main/get');
    expect(JSON.stringify(project.backends)).toContain('in-house');
    expect(JSON.stringify(project.backends)).not.toContain(TOKEN);
    for (const file of readdirSync(join(stack.serverDir, 'data')))
      expect(readFileSync(join(stack.serverDir, 'data', file)).includes(TOKEN)).toBe(false);
  });

  it('runs a task in a pod, which is gone afterwards, and so is the way to it', async () => {
    stack.file(
      'train',
      `type: task\nname: train\nimage: ${TEST_IMAGE}\ncommands:\n  - echo "$DSTACK_RUN_NAME in $(cat /etc/debian_version)"\n${SMALL}\nbackends: [kubernetes]\n`,
    );
    const run = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(run.stdout + run.stderr).toContain('train in 12');
    expect(run.code).toBe(0);
    await stack.until('the pods to be gone', async () => (await pods.running()).length === 0, 60_000);
    await stack.until('nothing to be left', async () =>
      ['pods', 'services', 'secrets'].every((resource) => cluster.objects.list(resource, null).length === 0),
    );
    expect(cluster.violations).toEqual([]);
  }, 180_000);

  it('lets its people into their pods, and nobody else', async () => {
    stack.file('sleeper', `type: task\nname: sleeper\nimage: ${TEST_IMAGE}\ncommands: [sleep 600]\n${SMALL}\nbackends: [kubernetes]\n`); // prettier-ignore
    expect(await stack.cli(['apply', '-y', '-d', '-f', 'sleeper.dstack.yml'])).toMatchObject({ code: 0 });
    await stack.until('it to run', async () => (await stack.statusOf('sleeper')).includes('running'), 60_000);
    const attached = stack.startCli(['attach', 'sleeper']);
    await Promise.race([
      stack.until('the attachment', async () => attached.output().includes('Ctrl+C detaches'), 60_000),
      attached.done.then((end) => Promise.reject(new Error(JSON.stringify(end)))),
    ]);
    const config = join(stack.home, '.dstack/ssh/config');
    const { stdout } = await execute('ssh', ['-F', config, 'sleeper', 'echo "in $DSTACK_RUN_NAME"'], {
      timeout: 20_000,
    });
    expect(stdout).toBe('in sleeper\n');
    const { jobs } = await stack.api<RunAsFarAsNeeded>('/api/project/main/runs/get', { run_name: 'sleeper' });
    const { hostname, ssh_proxy: jump } = jobs[0].job_submissions[0].job_provisioning_data;
    const through = (key: string) =>
      execute('ssh', ['-F', '/dev/null', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${join(stack.work, 'seen')}`, '-i', key, '-p', String(jump.port), '-W', `${hostname}:10022`, `root@${jump.hostname}`], { timeout: 10_000 }); // prettier-ignore
    const stranger = join(stack.work, 'stranger');
    await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger]);
    await expect(through(stranger)).rejects.toThrow('open failed');
    await stack.cli(['stop', '-x', 'sleeper', '-y']);
    await stack.until('the pods to be gone', async () => (await pods.running()).length === 0, 60_000);
  }, 180_000);

  inFull(
    'runs the nodes of a task, which know the address of the first',
    async () => {
      const commands = ['echo "node $DSTACK_NODE_RANK of $DSTACK_NODES_NUM, first $DSTACK_MASTER_NODE_IP"'];
      stack.file('both', `type: task\nname: both\nnodes: 2\nimage: ${TEST_IMAGE}\ncommands: ${JSON.stringify(commands)}\n${SMALL}\nbackends: [kubernetes]\n`); // prettier-ignore
      const run = await stack.cli(['apply', '-y', '-f', 'both.dstack.yml']);
      expect(run.stdout + run.stderr).toMatch(/node 0 of 2, first \d+\.\d+/);
      expect(run.code).toBe(0);
      await stack.until('the pods to be gone', async () => (await pods.running()).length === 0, 60_000);
    },
    180_000,
  );

  inFull(
    'does not notice that its server was away',
    async () => {
      const commands = ['echo before', 'sleep 8', 'echo after'];
      stack.file('patient', `type: task\nname: patient\nimage: ${TEST_IMAGE}\ncommands: ${JSON.stringify(commands)}\n${SMALL}\nbackends: [kubernetes]\n`); // prettier-ignore
      expect(await stack.cli(['apply', '-y', '-d', '-f', 'patient.dstack.yml'])).toMatchObject({ code: 0 });
      const log = async () => (await stack.cli(['logs', 'patient'])).stdout;
      await stack.until('its first words', async () => (await log()).includes('before'), 60_000);
      await stack.killServer();
      await stack.start();
      await stack.until('it to end', async () => (await stack.statusOf('patient')).includes('exited (0)'), 60_000);
      expect((await log()).replaceAll('\r', '')).toBe('before\nafter\n');
      await stack.until('the pods to be gone', async () => (await pods.running()).length === 0, 60_000);
    },
    180_000,
  );

  inFull(
    'keeps what its tasks write into a volume',
    async () => {
      stack.file('data', 'type: volume\nname: data\nbackend: kubernetes\nregion: in-house\nsize: 1GB\n');
      expect(await stack.cli(['apply', '-y', '-f', 'data.dstack.yml'])).toMatchObject({ code: 0 });
      const withData = (name: string, command: string) =>
      stack.file(name, `type: task\nname: ${name}\nimage: ${TEST_IMAGE}\ncommands: [${JSON.stringify(command)}]\nvolumes: ['data:/data']\n${SMALL}\nbackends: [kubernetes]\n`); // prettier-ignore
      withData('writer', 'echo kept > /data/file');
      withData('reader', 'cat /data/file');
      expect(await stack.cli(['apply', '-y', '-f', 'writer.dstack.yml'])).toMatchObject({ code: 0 });
      const read = await stack.cli(['apply', '-y', '-f', 'reader.dstack.yml']);
      expect(read.stdout).toContain('kept');
      await stack.until('the pods to be gone', async () => (await pods.running()).length === 0, 60_000);
      await stack.until('the volume to be free', async () => (await stack.cli(['delete', '-y', '-f', 'data.dstack.yml'])).code === 0, 60_000); // prettier-ignore
      await stack.until('the claim to be gone', async () => cluster.objects.list('persistentvolumeclaims', null).length === 0, 60_000); // prettier-ignore
      expect(cluster.violations).toEqual([]);
    },
    240_000,
  );

  it('is told that the cluster has no room', async () => {
    stack.file('large', `type: task\nname: large\nimage: ${TEST_IMAGE}\ncommands: [nproc]\nresources: {cpu: 64, memory: 1GB.., disk: 1GB..}\nbackends: [kubernetes]\n`); // prettier-ignore
    const run = await stack.cli(['apply', '-y', '-f', 'large.dstack.yml']);
    expect(run.stdout + run.stderr).toMatch(/no offers|no capacity|not available/i);
    expect(cluster.objects.list('pods', null)).toEqual([]);
  });
});
