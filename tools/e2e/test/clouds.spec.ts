import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsFake } from '@dstack/cloud-fakes/aws';
import { LambdaFake } from '@dstack/cloud-fakes/lambda';
import { createTestNetwork, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { CloudMachines } from '../src/cloud-machines.js';
import { agentFolder, canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const why = whyNoTestHosts() ?? (canRunContainers() ? null : 'no container engine');
if (why !== null) console.warn(`The stories of clouds are left out: ${why}`);

/** The one type that needs no GPU on this machine. */
const CHEAP = 'resources: {cpu: 4, memory: 1GB.., gpu: 0, disk: 1GB..}';

const API_KEY = 'key-of-the-account';
const REGION = 'us-east-1';

interface RunAsFarAsNeeded {
  readonly status: string;
  readonly termination_reason: string;
  readonly jobs: readonly [{ readonly job_submissions: readonly { readonly termination_reason: string }[] }];
}

(why === null ? describe : describe.skip)('a team with accounts at clouds', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  let network: TestNetwork;
  let machines: CloudMachines;
  let lambda: LambdaFake;
  let aws: AwsFake;
  /** Of AWS: the next machines, which never start. */
  let failingBoots = 0;
  let stack: Stack;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    machines = new CloudMachines(network);
    lambda = await LambdaFake.start({
      apiKey: API_KEY,
      boot: (instance) => machines.boot(instance),
      halt: (instance) => machines.halt(instance),
    });
    aws = await AwsFake.start({
      accessKey: 'AKIAFAKE',
      boot: async (instance) => {
        failingBoots -= 1;
        if (failingBoots >= 0) throw new Error('the host of the machine is broken');
        return machines.boot(instance);
      },
      halt: (instance) => machines.halt(instance),
    });
    stack = new Stack({
      DSTACK_SERVER_AGENT_DIR: agents,
      DSTACK_SERVER_BACKEND_ENDPOINTS: `lambda=${lambda.url},aws=${aws.url}`,
    });
    await stack.start();
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await lambda.close();
    await aws.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const create = (config: object) => stack.api('/api/project/main/backends/create', config);

  it('is told when its key is wrong', async () => {
    await expect(create({ type: 'lambda', creds: { type: 'api_key', api_key: 'wrong' } })).rejects.toThrow(
      'creds.api_key',
    );
  });

  it('sees what Lambda sells once it gives its key', async () => {
    await create({ type: 'lambda', creds: { type: 'api_key', api_key: API_KEY } });
    const { stdout } = await stack.cli(['offer', '--gpu', 'H100', '--backend', 'lambda']);
    expect(stdout).toMatch(/lambda \(us-west-1\) .*gpu=H100:80GB:1 +gpu_1x_h100_pcie +\$3\.29/);
  });

  it('runs a task on a machine of Lambda, which is given back', async () => {
    stack.file(
      'train',
      `type: task\nname: train\nimage: ${TEST_IMAGE}\ncommands:\n  - echo "$(nproc) processors, $DSTACK_RUN_NAME"\n${CHEAP}\nbackends: [lambda]\nidle_duration: 0s\n`,
    );
    const run = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(run.stdout + run.stderr).toContain('processors, train');
    expect(run.code).toBe(0);
    await stack.until('the machine to be given back', async () => machines.count === 0, 60_000);
    await stack.until('Lambda to have none', async () =>
      [...lambda.instances.values()].every(({ status }) => status === 'terminated'),
    );
    expect(lambda.instances.size).toBe(1);
    expect(lambda.violations).toEqual([]);
  }, 180_000);

  it('is told that Lambda has none left', async () => {
    lambda.exhausted.add('cpu_4x_general');
    const run = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(run.stdout + run.stderr).toMatch(/no capacity|not available|no offers/i);
    expect(lambda.instances.size).toBe(1);
  });

  it('compares the prices of its clouds once it gives the key of another', async () => {
    const creds = { type: 'access_key', access_key: 'AKIAFAKE', secret_key: 'secret' };
    await create({ type: 'aws', regions: [REGION], creds });
    const { stdout } = await stack.cli(['offer', '--gpu', 'A10,L4', '--max-offers', '20']);
    const clouds = stdout.split('\n').flatMap((line) => /^ +\d+ +(\w+) \(/.exec(line)?.[1] ?? []);
    expect(new Set(clouds)).toEqual(new Set(['lambda', 'aws']));
  });

  it('runs a task on spot capacity of AWS in a zone that has some, though its first machine does not start', async () => {
    failingBoots = 1;
    aws.region(REGION).dryZones.add(`${REGION}a`);
    stack.file(
      'spot',
      `type: task\nname: spot\nimage: ${TEST_IMAGE}\ncommands:\n  - echo "$DSTACK_RUN_NAME ran"\nresources: {cpu: 2.., memory: 1GB.., disk: 100GB..}\nbackends: [aws]\nspot_policy: auto\nidle_duration: 0s\n`,
    );
    const run = await stack.cli(['apply', '-y', '-f', 'spot.dstack.yml']);
    expect(run.stdout + run.stderr).toContain('spot ran');
    const [first, second] = aws.instances;
    expect(aws.instances.map(({ zone }) => zone)).toEqual([`${REGION}b`, `${REGION}b`]);
    expect(second?.type).not.toBe(first?.type);
    const events = await stack.cli(['event', '--within-run', 'spot']);
    expect(events.stdout).toMatch(/failed to start: .*; the next offer is tried/);
    // The agent of the machine has been told what to do if its server never came back.
    const all = await stack.cli(['event']);
    expect(all.stdout).toContain('without a server and a job for 60 minutes it powers the machine off');
    await stack.until('the machine to be given back', async () => machines.count === 0, 60_000);
    await stack.until('AWS to have none', async () => aws.instances.every(({ state }) => state === 'terminated'));
    expect(aws.violations).toEqual([]);
  }, 180_000);

  it('runs a task again on another machine when AWS takes the first one back, and gives that back, too', async () => {
    const before = aws.instances.length;
    stack.file(
      'again',
      `type: task\nname: again\nimage: ${TEST_IMAGE}\ncommands:\n  - echo "waits"\n  - until [ -e /host/go ]; do sleep 0.2; done\n  - echo "went on"\n` +
        'volumes: ["/var/e2e:/host"]\nresources: {cpu: 2.., memory: 1GB.., disk: 100GB..}\nbackends: [aws]\nspot_policy: spot\n' +
        'retry: {on_events: [interruption], duration: 1h}\nidle_duration: 0s\n',
    );
    expect(await stack.cli(['apply', '-y', '-d', '-f', 'again.dstack.yml'])).toMatchObject({ code: 0 });
    const waits = async () => (await stack.cli(['logs', 'again'])).stdout.includes('waits');
    await stack.until('it to run', waits, 90_000);
    const [first] = aws.instances.slice(before);
    if (first === undefined) throw new Error('no machine');
    aws.region(REGION).interrupt(first);
    const second = await stack.until('another machine', async () => aws.instances[before + 1], 90_000);
    await stack.until('it to run there', async () => (await stack.statusOf('again')).includes('running'), 90_000);
    await machines.hostOf(second.id)?.run('touch /var/e2e/go');
    await stack.until('it to end', async () => (await stack.statusOf('again')).includes('exited (0)'), 60_000);
    expect(aws.instances.slice(before).map(({ isSpot }) => isSpot)).toEqual([true, true]);
    // Both submissions are told of: one by its reason, with what AWS said, and the other.
    const run = await stack.api<RunAsFarAsNeeded>('/api/project/main/runs/get', { run_name: 'again' });
    const [{ job_submissions: submissions }] = run.jobs;
    expect([run.status, run.termination_reason]).toEqual(['done', 'all_jobs_done']);
    expect(submissions.map(({ termination_reason: reason }) => reason)).toEqual([
      'interrupted_by_no_capacity',
      'done_by_runner',
    ]);
    const { stdout: events } = await stack.cli(['event', '--within-run', 'again']);
    expect(events).toContain('RUNNING -> TERMINATING (interrupted_by_no_capacity: Server.SpotInstanceTermination');
    expect(events).toMatch(/RUNNING -> PENDING \(retry 1 in \d+s\)/);
    expect((await stack.cli(['ps', '-a', '-v'])).stdout).toMatch(/again .*\(spot\) .*exited \(0\)/);
    await stack.until('the machine to be given back', async () => machines.count === 0, 60_000);
    await stack.until('AWS to have none', async () => aws.instances.every(({ state }) => state === 'terminated'));
    expect(aws.violations).toEqual([]);
  }, 300_000);
});
