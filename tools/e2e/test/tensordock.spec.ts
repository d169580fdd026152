import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeMachine, TensorDockFake } from '@dstack/cloud-fakes/tensordock';
import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { agentFolder } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const why = whyNoTestHosts() ?? (existsSync(agentFolder) ? null : 'the agent folder is not built');
if (why !== null) console.warn(`The story of TensorDock is left out: ${why}`);

const TOKEN = 'token-of-the-account';

/** A GPU as its tool tells of it; and an engine and its runtime that need not be installed, as nothing can be fetched here. */
const TOOLS = `
cat > /usr/local/bin/nvidia-smi <<'SCRIPT'
#!/bin/sh
case "$*" in
  -L) echo 'GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-0)' ;;
  *query-gpu=name*) echo 'NVIDIA GeForce RTX 4090, 24564, GPU-0, 550.54.15' ;;
  *query-gpu=index*) echo '0, GPU-0, 7, 0, 0, No' ;;
  *query-gpu=uuid*) echo 'GPU-0, 100, 7' ;;
esac
SCRIPT
printf '#!/bin/sh\\n' | tee /usr/local/bin/docker > /usr/local/bin/nvidia-ctk
chmod +x /usr/local/bin/nvidia-smi /usr/local/bin/docker /usr/local/bin/nvidia-ctk
touch /dev/nvidiactl`;

(why === null ? describe : describe.skip)('a team with an account at TensorDock', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  const hosts = new Map<string, TestHost>();
  let network: TestNetwork;
  let tensordock: TensorDockFake;
  let stack: Stack;

  async function boot({ id, sshKey, runcmd }: FakeMachine): Promise<string> {
    const host = await network.host({ name: `m${hosts.size + 1}`, user: 'user' });
    hosts.set(id, host);
    await host.run('cat > ~user/.ssh/authorized_keys', `${sshKey}\n`);
    await host.run(TOOLS);
    for (const command of runcmd) await host.run(command);
    return host.address;
  }

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    tensordock = await TensorDockFake.start({
      token: TOKEN,
      boot,
      halt: async ({ id }) => {
        await hosts.get(id)?.remove();
        hosts.delete(id);
      },
    });
    stack = new Stack({
      DSTACK_SERVER_AGENT_DIR: agents,
      DSTACK_SERVER_BACKEND_ENDPOINTS: `tensordock=${tensordock.url}`,
    });
    await stack.start();
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await tensordock.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const create = (token: string) =>
    stack.api('/api/project/main/backends/create', {
      type: 'tensordock',
      creds: { type: 'api_key', api_key: 'of the former API', api_token: token },
    });

  it('is told when its token is wrong, and sees what there is once it is right', async () => {
    await expect(create('wrong')).rejects.toThrow('creds.api_token');
    await create(TOKEN);
    const { stdout } = await stack.cli(['offer', '--gpu', 'RTX4090', '--backend', 'tensordock']);
    expect(stdout).toMatch(/tensordock \(.*chicago.*\) .*gpu=RTX4090:24GB:1 /i);
  });

  it('runs a task with a GPU on a machine, though the answer to its creation was lost, and gives it back', async () => {
    tensordock.lostCreates = 1;
    stack.file(
      'train',
      'type: task\nname: train\ncommands:\n  - echo "$DSTACK_RUN_NAME has GPU $CUDA_VISIBLE_DEVICES"\n' +
        'resources: {cpu: 2.., memory: 1GB.., gpu: RTX4090, disk: 100GB..}\nbackends: [tensordock]\nidle_duration: 0s\n',
    );
    const run = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(run.stdout + run.stderr).toMatch(/train has GPU (0|GPU-0)/);
    expect(run.code).toBe(0);
    await stack.until('the machine to be given back', async () => hosts.size === 0, 60_000);
    expect([...tensordock.machines.values()].map(({ status }) => status)).toEqual(['deleted']);
    expect(tensordock.violations).toEqual([]);
  }, 240_000);

  it('is told that nothing is left', async () => {
    tensordock.isExhausted = true;
    const run = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(run.stdout + run.stderr).toMatch(/no capacity/i);
    expect(tensordock.machines.size).toBe(1);
  }, 60_000);
});
