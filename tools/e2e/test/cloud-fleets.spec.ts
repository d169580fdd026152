import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsFake } from '@dstack/cloud-fakes/aws';
import { createTestNetwork, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { CloudMachines } from '../src/cloud-machines.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { agentFolder, canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const why = isFullRun ? (whyNoTestHosts() ?? (canRunContainers() ? null : 'no container engine')) : OF_FULL_RUN;
if (isFullRun && why !== null) console.warn(`The stories of fleets are left out: ${why}`);

const REGION = 'us-east-1';
const ZONE = `${REGION}b`;

(why === null ? describe : describe.skip)('a team that keeps fleets of AWS', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  let network: TestNetwork;
  let machines: CloudMachines;
  let aws: AwsFake;
  let stack: Stack;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    machines = new CloudMachines(network);
    aws = await AwsFake.start({
      accessKey: 'AKIAFAKE',
      boot: (instance) => machines.boot(instance),
      halt: (instance) => machines.halt(instance),
    });
    stack = new Stack({ DSTACK_SERVER_AGENT_DIR: agents, DSTACK_SERVER_BACKEND_ENDPOINTS: `aws=${aws.url}` });
    await stack.start();
    const creds = { type: 'access_key', access_key: 'AKIAFAKE', secret_key: 'secret' };
    await stack.api('/api/project/main/backends/create', { type: 'aws', regions: [REGION], creds });
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await aws.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const fleet = (name: string, more: string) =>
    stack.file(
      name,
      `type: fleet\nname: ${name}\nbackends: [aws]\nresources: {cpu: 1.., memory: 0.5GB.., disk: 100GB..}\n${more}`,
    );
  const ofFleet = (name: string) =>
    aws.instances.filter(({ tags }) => tags['dstack_name']?.startsWith(`${name}-`) === true);

  it('shares one of a fleet between runs, one after the other and at the same time', async () => {
    fleet(
      'keep',
      `nodes: 1\nblocks: 2\nspot_policy: spot\nmax_price: 0.1\ninstance_types: [t3.medium]\navailability_zones: [${ZONE}]\n`,
    );
    expect((await stack.cli(['apply', '-y', '-f', 'keep.dstack.yml'])).code).toBe(0);
    await stack.until('it to be idle', async () => (await stack.cli(['fleet'])).stdout.includes('idle'), 120_000);
    expect(ofFleet('keep').map(({ zone, type, isSpot }) => [zone, type, isSpot])).toEqual([[ZONE, 't3.medium', true]]);
    const share = (name: string) =>
      stack.file(
        name,
        `type: task\nname: ${name}\nimage: ${TEST_IMAGE}\ncommands:\n  - echo "$DSTACK_RUN_NAME has $(nproc)"\n  - sleep 5\n` +
          'resources: {cpu: 1, memory: 0.5GB.., disk: null}\nfleets: [keep]\nspot_policy: auto\ncreation_policy: reuse\n',
      );
    for (const name of ['left', 'right']) share(name);
    const both = await Promise.all(
      ['left', 'right'].map((name) => stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`])),
    );
    expect(both.map(({ code, stdout, stderr }) => (code === 0 ? '' : stdout + stderr))).toEqual(['', '']);
    share('later');
    const later = await stack.cli(['apply', '-y', '-f', 'later.dstack.yml']);
    expect([later.code, later.stdout]).toEqual([0, expect.stringContaining('later has')]);
    expect(ofFleet('keep')).toHaveLength(1);
    expect((await stack.cli(['fleet', 'delete', '-y', 'keep'])).code).toBe(0);
    await stack.until('it to be given back', async () => machines.count === 0, 90_000);
    expect(aws.violations).toEqual([]);
  }, 300_000);

  it('makes the machines of a cluster in one zone, close together, and the group goes with the last of them', async () => {
    const region = aws.region(REGION);
    region.dryZones.add(`${REGION}a`);
    fleet('pool', 'nodes: 2\nplacement: cluster\n');
    expect((await stack.cli(['apply', '-y', '-f', 'pool.dstack.yml'])).code).toBe(0);
    const members = () => ofFleet('pool');
    await stack.until('two machines', async () => members().filter(({ state }) => state === 'running').length === 2);
    const [group, ...groups] = [...region.placementGroups];
    expect(groups).toEqual([]);
    expect(members().map(({ zone, input }) => [zone, input['Placement']])).toEqual(
      Array(2).fill([ZONE, { AvailabilityZone: ZONE, GroupName: group }]),
    );
    const idle = async () => {
      const { stdout } = await stack.cli(['fleet', 'get', 'pool', '--json']);
      const { instances } = JSON.parse(stdout) as { instances: { status: string }[] };
      return instances.filter(({ status }) => status === 'idle').length === 2;
    };
    await stack.until('both to be idle', idle, 120_000);
    expect((await stack.cli(['fleet', '-v'])).stdout).toMatch(/aws.*us-east-1.*\$\d/);
    expect((await stack.cli(['fleet', 'delete', '-y', 'pool'])).code).toBe(0);
    await stack.until('the group to be gone', async () => region.placementGroups.size === 0, 90_000);
    expect(aws.violations).toEqual([]);
  }, 360_000);
});
