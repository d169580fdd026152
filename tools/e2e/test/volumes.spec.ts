import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsFake } from '@dstack/cloud-fakes/aws';
import { createTestNetwork, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { CloudMachines } from '../src/cloud-machines.js';
import { MachineDisks } from '../src/machine-disks.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { agentFolder, canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const why = isFullRun ? (whyNoTestHosts() ?? (canRunContainers() ? null : 'no container engine')) : OF_FULL_RUN;
if (isFullRun && why !== null) console.warn(`The stories of volumes are left out: ${why}`);

const REGION = 'us-east-1';
const ZONE = `${REGION}b`;

(why === null ? describe : describe.skip)('a team that keeps its data on volumes of AWS', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  let network: TestNetwork;
  let machines: CloudMachines;
  let disks: MachineDisks;
  let aws: AwsFake;
  let stack: Stack;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    machines = new CloudMachines(network);
    disks = new MachineDisks(machines);
    aws = await AwsFake.start({
      accessKey: 'AKIAFAKE',
      boot: (instance) => machines.boot(instance),
      halt: (instance) => machines.halt(instance),
      plug: (volume, instance, device) => disks.plug(volume, instance, device),
      unplug: (volume, instance, force) => disks.unplug(volume, instance, force),
    });
    stack = new Stack({ DSTACK_SERVER_AGENT_DIR: agents, DSTACK_SERVER_BACKEND_ENDPOINTS: `aws=${aws.url}` });
    await stack.start();
    const creds = { type: 'access_key', access_key: 'AKIAFAKE', secret_key: 'secret' };
    await stack.api('/api/project/main/backends/create', { type: 'aws', regions: [REGION], creds });
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await aws.close();
    await disks.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const volumes = () => [...aws.region(REGION).volumes.all.values()];
  /** Not of the runs that tell about it. */
  const stateOf = async (name: string) =>
    (await stack.cli(['ps', '-a'])).stdout.split('\n').find((line) => line.startsWith(` ${name} `)) ?? '';
  const task = (name: string, commands: readonly string[], more = '') =>
    stack.file(
      name,
      `type: task\nname: ${name}\nimage: ${TEST_IMAGE}\ncommands:\n${commands.map((each) => `  - ${each}\n`).join('')}` +
        `resources: {cpu: 2.., memory: 1GB.., disk: 100GB..}\nbackends: [aws]\nvolumes: ['data:/data']\nidle_duration: 0s\n${more}`,
    );

  it('makes one', async () => {
    stack.file(
      'data',
      `type: volume\nname: data\nbackend: aws\nregion: ${REGION}\navailability_zone: ${ZONE}\nsize: 1GB\n`,
    );
    const made = await stack.cli(['apply', '-y', '-f', 'data.dstack.yml']);
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('Volume data is active.')]);
    expect(volumes().map(({ zone, sizeGb }) => [zone, sizeGb])).toEqual([[ZONE, 1]]);
    expect((await stack.cli(['volume', '-v'])).stdout).toMatch(
      /data +aws +us-east-1 \(us-east-1b\) +active .*\$0\.08\/month/,
    );
  });

  it('finds on another machine what it wrote on the first', async () => {
    task('write', ['echo "kept for later" > /data/note', 'ls /data']);
    const first = await stack.cli(['apply', '-y', '-f', 'write.dstack.yml']);
    expect([first.code, first.stdout + first.stderr]).toEqual([0, expect.stringContaining('note')]);
    await stack.until('the first machine to be given back', async () => machines.count === 0, 60_000);
    expect(volumes().map(({ attachment }) => attachment)).toEqual([null]);
    task('read', ['cat /data/note', 'df /data | tail -1']);
    const second = await stack.cli(['apply', '-y', '-f', 'read.dstack.yml']);
    expect([second.code, second.stdout + second.stderr]).toEqual([0, expect.stringContaining('kept for later')]);
    expect(aws.instances.map(({ zone }) => zone)).toEqual([ZONE, ZONE]);
    expect(aws.violations).toEqual([]);
  }, 240_000);

  it('is told who has it, and may not delete it meanwhile', async () => {
    task('hold', ['sleep 600']);
    await stack.cli(['apply', '-y', '-d', '-f', 'hold.dstack.yml']);
    const attached = async () => (await stack.cli(['volume', '-v'])).stdout.includes('attached');
    await stack.until('the volume to be attached', attached, 120_000);
    task('want', ['echo wanted']);
    const refused = await stack.cli(['apply', '-y', '-f', 'want.dstack.yml']);
    expect(refused.stdout + refused.stderr).toMatch(/volume data is used by run hold/);
    const deletion = await stack.cli(['volume', 'delete', '-y', 'data']);
    expect([deletion.code, deletion.stderr]).toEqual([1, expect.stringContaining('Volume data is in use by hold')]);
    await stack.until('the run to run', async () => (await stateOf('hold')).includes('running'), 120_000);
    await stack.cli(['stop', '-y', '-x', 'hold']);
    await stack.until('the run to end', async () => /terminated|aborted/.test(await stateOf('hold')), 90_000);
    expect(volumes().map(({ attachment }) => attachment)).toEqual([null]);
  }, 360_000);

  it('deletes it when nobody has it', async () => {
    expect((await stack.cli(['volume', 'delete', '-y', 'data'])).code).toBe(0);
    await stack.until('AWS to have none', async () => volumes().length === 0);
    await stack.until('it to be gone', async () => !(await stack.cli(['volume'])).stdout.includes('data'));
    await stack.until('the machines to be given back', async () => machines.count === 0, 60_000);
    expect(aws.violations).toEqual([]);
  }, 120_000);
});
