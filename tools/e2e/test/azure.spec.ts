import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AzureFake } from '@dstack/cloud-fakes/azure';
import { createTestNetwork, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { CloudMachines } from '../src/cloud-machines.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { agentFolder, canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const why = isFullRun ? (whyNoTestHosts() ?? (canRunContainers() ? null : 'no container engine')) : OF_FULL_RUN;
if (isFullRun && why !== null) console.warn(`The story of Azure is left out: ${why}`);

const account = {
  tenantId: 'tenant',
  subscriptionId: 'subscription',
  clientId: 'client',
  clientSecret: 'secret-of-dstack',
};

(why === null ? describe : describe.skip)('a team with a subscription of Azure', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  let network: TestNetwork;
  let machines: CloudMachines;
  let azure: AzureFake;
  let stack: Stack;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    machines = new CloudMachines(network);
    azure = await AzureFake.start({
      account,
      boot: (machine) => machines.boot(machine),
      halt: (machine) => machines.halt(machine),
    });
    stack = new Stack({ DSTACK_SERVER_AGENT_DIR: agents, DSTACK_SERVER_BACKEND_ENDPOINTS: `azure=${azure.url}` });
    await stack.start();
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await azure.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const create = (secret: string) =>
    stack.api('/api/project/main/backends/create', {
      type: 'azure',
      tenant_id: account.tenantId,
      subscription_id: account.subscriptionId,
      regions: ['eastus'],
      creds: { type: 'client', client_id: account.clientId, client_secret: secret },
    });

  it('is told when its secret is wrong, without the secret', async () => {
    const refused = await create('wrong-secret').catch(String);
    expect(refused).toContain('creds.client_secret: Entra ID: AADSTS7000215');
    expect(refused).not.toContain('wrong-secret');
  });

  it('sees what Azure sells to it', async () => {
    await create(account.clientSecret);
    const { stdout } = await stack.cli(['offer', '--gpu', 'A100', '--backend', 'azure']);
    expect(stdout).toMatch(/azure \(eastus\) .*gpu=A100:80GB:1 +Standard_NC24ads_A100_v4/);
  });

  it('runs a task on the next size when there is no room for the first, and gives everything back', async () => {
    azure.compute.drySizes.add('Standard_F2s_v2');
    stack.file(
      'train',
      `type: task\nname: train\nimage: ${TEST_IMAGE}\ncommands:\n  - echo "$DSTACK_RUN_NAME ran"\nresources: {cpu: 2.., memory: 1GB.., disk: 100GB..}\nbackends: [azure]\nidle_duration: 0s\n`,
    );
    const run = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(run.stdout + run.stderr).toContain('train ran');
    expect(run.code).toBe(0);
    expect(azure.requests.filter((each) => /^PUT .*\/virtualMachines\//.test(each))).toHaveLength(2);
    await stack.until('the machine to be given back', async () => machines.count === 0, 60_000);
    await stack.until('Azure to have nothing left', async () => azure.machines.length + azure.belongings.length === 0);
    expect(azure.violations).toEqual([]);
  }, 180_000);
});
