import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OciFake } from '@dstack/cloud-fakes/oci';
import { createTestNetwork, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { CloudMachines } from '../src/cloud-machines.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { agentFolder, canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const why = isFullRun ? (whyNoTestHosts() ?? (canRunContainers() ? null : 'no container engine')) : OF_FULL_RUN;
if (isFullRun && why !== null) console.warn(`The story of Oracle is left out: ${why}`);

const REGION = 'eu-frankfurt-1';

(why === null ? describe : describe.skip)('a team with a tenancy at Oracle', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const account = {
    tenancy: 'ocid1.tenancy.oc1..team',
    user: 'ocid1.user.oc1..dstack',
    fingerprint: '20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34',
    publicKey,
  };
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  let network: TestNetwork;
  let machines: CloudMachines;
  let oci: OciFake;
  let stack: Stack;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    machines = new CloudMachines(network);
    oci = await OciFake.start({
      account,
      boot: (instance) => machines.boot(instance),
      halt: (instance) => machines.halt(instance),
    });
    stack = new Stack({ DSTACK_SERVER_AGENT_DIR: agents, DSTACK_SERVER_BACKEND_ENDPOINTS: `oci=${oci.url}` });
    await stack.start();
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await oci.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const create = (more: object = {}) =>
    stack.api('/api/project/main/backends/create', {
      type: 'oci',
      regions: [REGION],
      creds: {
        type: 'client',
        user: account.user,
        tenancy: account.tenancy,
        fingerprint: account.fingerprint,
        region: 'us-ashburn-1',
        key_content: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        ...more,
      },
    });

  it('is told when its key is not the one Oracle knows', async () => {
    await expect(create({ fingerprint: 'other' })).rejects.toThrow('creds.fingerprint: NotAuthenticated');
  });

  it('sees what is free, and where', async () => {
    await create();
    const { stdout } = await stack.cli(['offer', '--gpu', 'A10', '--backend', 'oci']);
    expect(stdout).toMatch(/oci \(eu-frankfurt-1\) .*gpu=A10:24GB:1 .*VM\.GPU\.A10\.1/);
  });

  it('runs a task in the second domain when the first has no host, and gives the machine back', async () => {
    oci.region(REGION).dryDomains.add(`qIZq:EU-FRANKFURT-1-AD-1`);
    stack.file(
      'train',
      `type: task\nname: train\nimage: ${TEST_IMAGE}\ncommands:\n  - echo "$DSTACK_RUN_NAME ran"\nresources: {cpu: 2.., memory: 1GB.., disk: 100GB..}\nbackends: [oci]\nidle_duration: 0s\n`,
    );
    const run = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(run.stdout + run.stderr).toContain('train ran');
    expect(run.code).toBe(0);
    expect(oci.instances.map(({ domain }) => domain)).toEqual(['qIZq:EU-FRANKFURT-1-AD-2']);
    await stack.until('the machine to be given back', async () => machines.count === 0, 60_000);
    await stack.until('Oracle to have none', async () => oci.instances.every(({ state }) => state === 'TERMINATED'));
    expect(oci.violations).toEqual([]);
  }, 180_000);
});
