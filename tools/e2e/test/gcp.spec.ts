import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeNode, GcpFake } from '@dstack/cloud-fakes/gcp';
import { createTestNetwork, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { CloudMachines } from '../src/cloud-machines.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { agentFolder, canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const why = isFullRun ? (whyNoTestHosts() ?? (canRunContainers() ? null : 'no container engine')) : OF_FULL_RUN;
if (isFullRun && why !== null) console.warn(`The stories of Google Cloud are left out: ${why}`);

const REGION = 'us-central1';

/** TPUs have no cloud-init: what Google's own agent does with their metadata, in its words. */
function userDataOf({ body }: FakeNode): string {
  const metadata = body.metadata as Readonly<Record<string, string>>; // checked by the fake
  return JSON.stringify({
    ssh_authorized_keys: (metadata['ssh-keys'] ?? '').split('\n').map((line) => line.replace(/^ubuntu:/, '')),
    runcmd: [['sh', '-c', metadata['startup-script'] ?? '']],
  });
}

(why === null ? describe : describe.skip)('a team with a project of Google Cloud', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  let network: TestNetwork;
  let machines: CloudMachines;
  let gcp: GcpFake;
  let stack: Stack;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    machines = new CloudMachines(network);
    gcp = await GcpFake.start({
      boot: (instance) => machines.boot(instance),
      halt: (instance) => machines.halt(instance),
      bootNode: (node, host) => machines.boot({ id: `${node.name}/${host}`, userData: userDataOf(node) }, []),
      haltNode: async (node) => {
        await Promise.all(
          Array.from({ length: node.hosts }, (_, host) => machines.halt({ id: `${node.name}/${host}` })),
        );
      },
    });
    stack = new Stack({
      DSTACK_SERVER_AGENT_DIR: agents,
      DSTACK_SERVER_BACKEND_ENDPOINTS: `gcp=${gcp.url}`,
      DSTACK_SERVER_UNREACHABLE_JOB_SECONDS: '20',
      // For accounts that are configured with `default`.
      GOOGLE_APPLICATION_CREDENTIALS: join(agents, 'key.json'),
    });
    writeFileSync(join(agents, 'key.json'), gcp.key.file);
    mkdirSync(stack.serverDir);
    writeFileSync(
      join(stack.serverDir, 'config.yml'),
      `projects:
  - name: main
  - name: others
    backends:
      - type: gcp
        project_id: ${gcp.project}
        regions: [${REGION}]
        creds: {type: service_account, filename: ${join(agents, 'key.json')}}
`,
    );
    await stack.start();
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await gcp.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const create = (config: object, how: 'create' | 'update' = 'create') =>
    stack.api(`/api/project/main/backends/${how}`, {
      type: 'gcp',
      project_id: gcp.project,
      regions: [REGION],
      ...config,
    });
  const keyFile = (data: string) => ({ creds: { type: 'service_account', data } });

  it('is given an account by the file of the server, which names the file of the key', async () => {
    const { stdout } = await stack.cli(['offer', '--gpu', 'T4', '--max-offers', '3'], { project: 'others' });
    expect(stdout).toMatch(/gcp \(us-central1\) .*gpu=T4:16GB:1 /);
  });

  it('is told what is wrong with its configuration, and where', async () => {
    await expect(create(keyFile('{}'))).rejects.toThrow(/creds\.data.*no client_email/);
    await expect(create({ ...keyFile(gcp.key.file), project_id: 'somebody-elses' })).rejects.toThrow('project_id');
    await expect(create({ ...keyFile(gcp.key.file), regions: ['asia-east1'] })).rejects.toThrow('regions.0');
  });

  it('sees what Google sells once it gives its key', async () => {
    await create(keyFile(gcp.key.file));
    const { stdout } = await stack.cli(['offer', '--gpu', 'L4', '--backend', 'gcp', '--max-offers', '3']);
    expect(stdout).toMatch(/gcp \(us-central1\) .*gpu=L4:24GB:1 .*g2-standard-4 +\$0\.\d+/);
    const tpus = await stack.cli(['offer', '--gpu', 'tpu:v5litepod-8', '--backend', 'gcp']);
    expect(tpus.stdout).toMatch(/v5litepod-8/);
  });

  it('runs a task in the first zone that has machines, which are given back', async () => {
    gcp.gce.dry.add(`${REGION}-a`);
    stack.file(
      'train',
      `type: task\nname: train\nimage: ${TEST_IMAGE}\ncommands:\n  - echo "$DSTACK_RUN_NAME ran"\nresources: {cpu: 2.., memory: 1GB.., disk: 20GB..}\nbackends: [gcp]\nspot_policy: on-demand\nidle_duration: 0s\n`,
    );
    const run = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(run.stdout + run.stderr).toContain('train ran');
    expect(run.code).toBe(0);
    expect(gcp.requests.filter((each) => each.endsWith('instances.insert'))).toEqual([
      `${REGION}-a instances.insert`,
      `${REGION}-b instances.insert`,
    ]);
    await stack.until('the machine to be given back', async () => machines.count === 0, 60_000);
    await stack.until('Google to have none', async () => gcp.gce.instances.size === 0 && gcp.gce.disks.size === 0);
    expect(gcp.violations).toEqual([]);
  }, 180_000);

  it('runs a task on a TPU, which it is told of', async () => {
    // As a process: containers with a TPU are privileged, which the hosts of tests cannot give.
    stack.file(
      'jax',
      `type: task\nname: jax\ncommands:\n  - echo "$DSTACK_RUN_NAME sees a $PJRT_DEVICE"\nresources: {gpu: 'tpu:v5litepod-8', cpu: 1.., memory: 1GB.., disk: 1GB..}\nbackends: [gcp]\nspot_policy: spot\nidle_duration: 0s\n`,
    );
    const run = await stack.cli(['apply', '-y', '-f', 'jax.dstack.yml']);
    expect(run.stdout + run.stderr).toContain('jax sees a TPU');
    expect(run.code).toBe(0);
    await stack.until('the TPU to be given back', async () => machines.count === 0, 60_000);
    await stack.until('Google to have none', async () => gcp.tpu.nodes.size === 0);
    expect(gcp.violations).toEqual([]);
  }, 180_000);

  it('runs a task on all hosts of a slice, which is made once, reached at each host and given back as a whole', async () => {
    const before = gcp.requests.length;
    stack.file(
      'slice',
      `type: task\nname: slice\nnodes: 2\ncommands:\n  - echo "node $DSTACK_NODE_RANK of $DSTACK_NODES_NUM with $DSTACK_MASTER_NODE_IP"\nresources: {gpu: 'tpu:v5p-16', cpu: 1.., memory: 1GB.., disk: 1GB..}\nbackends: [gcp]\nspot_policy: on-demand\n`,
    );
    const run = await stack.cli(['apply', '-y', '-f', 'slice.dstack.yml']);
    expect(run.stdout + run.stderr).toContain('node 0 of 2 with 10.164.0.9');
    expect(run.code).toBe(0);
    const worker = await stack.cli(['logs', 'slice', '--job', '1']);
    expect(worker.stdout).toContain('node 1 of 2 with 10.164.0.9');
    await stack.until('the slice to be given back', async () => machines.count === 0, 60_000);
    await stack.until('Google to have none', async () => gcp.tpu.nodes.size === 0);
    const asked = gcp.requests.slice(before);
    expect(asked.filter((each) => each.endsWith('nodes.create'))).toHaveLength(1);
    expect(asked.some((each) => each.endsWith('nodes.delete'))).toBe(true);
    expect(gcp.violations).toEqual([]);
  }, 240_000);

  it('gives the whole slice back when one of its hosts is lost, and its run fails as it has no retry', async () => {
    stack.file(
      'lost',
      `type: task\nname: lost\nnodes: 2\ncommands: [sleep 3600]\nresources: {gpu: 'tpu:v5p-16', cpu: 1.., memory: 1GB.., disk: 1GB..}\nbackends: [gcp]\nspot_policy: on-demand\n`,
    );
    expect(await stack.cli(['apply', '-y', '-d', '-f', 'lost.dstack.yml'])).toMatchObject({ code: 0 });
    await stack.until('it to run', async () => (await stack.statusOf('lost')).includes('running'), 120_000);
    const [node] = gcp.tpu.nodes.values();
    const host = machines.hostOf(`${node?.name}/1`);
    if (host === undefined) throw new Error('the slice has no second host');
    await host.cut();
    await stack.until('it to fail', async () => /lost .* (failed|error)/.test(await stack.statusOf('lost')), 90_000);
    await stack.until('the slice to be given back', async () => machines.count === 0, 90_000);
    await stack.until('Google to have none', async () => gcp.tpu.nodes.size === 0);
    const { stdout } = await stack.cli(['event', '--within-run', 'lost']);
    expect(stdout).toMatch(/job lost-1-0.*RUNNING -> TERMINATING \(instance_unreachable/);
    expect(gcp.violations).toEqual([]);
  }, 360_000);

  it('uses the default credentials of the server when it says so', async () => {
    await create({ creds: { type: 'default' } }, 'update');
    const { stdout } = await stack.cli(['offer', '--gpu', 'H100:8', '--backend', 'gcp', '--max-offers', '3']);
    expect(stdout).toMatch(/a3-highgpu-8g/);
  });

  it('is told when Google does not know its key any more', async () => {
    gcp.isKeyRevoked = true;
    await expect(create(keyFile(gcp.key.file), 'update')).rejects.toThrow('creds.data');
  });
});
