import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type FakeContract, VastaiFake } from '@dstack/cloud-fakes/vastai';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { agentFolder, canRunContainers } from '../src/programs.js';
import { RentedContainers } from '../src/rented-containers.js';
import { serveAgents, type ServedAgents } from '../src/served-agents.js';
import { Stack } from '../src/stack.js';

const run = promisify(execFile);
const why = isFullRun ? (canRunContainers() ? null : 'no container engine') : OF_FULL_RUN;
if (isFullRun && why !== null) console.warn(`The stories of Vast.ai are left out: ${why}`);

const API_KEY = 'vast-secret';
/** Nobody looks whether the container has one. */
const GPU = 'resources: {cpu: 2.., memory: 1GB.., gpu: RTX4090, disk: 10GB..}';

(why === null ? describe : describe.skip)('a team with an account at Vast.ai', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  const containers = new RentedContainers();
  let cloud: VastaiFake;
  let served: ServedAgents;
  let stack: Stack;

  const boot = ({ id, image, onstart, args, env }: FakeContract) => {
    const variables = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('-')));
    return containers.boot({ id: String(id), image, entrypoint: onstart, args, env: variables });
  };
  const givenBack = () => stack.until('the container to be given back', async () => containers.count === 0, 60_000);

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    served = await serveAgents(() => join(stack.serverDir, 'agents'));
    cloud = await VastaiFake.start({ apiKey: API_KEY, boot, halt: ({ id }) => containers.halt(String(id)) });
    stack = new Stack({
      DSTACK_SERVER_AGENT_DIR: agents,
      DSTACK_SERVER_BACKEND_ENDPOINTS: `vastai=${cloud.url}`,
      DSTACK_AGENT_DOWNLOAD_URL: served.url,
    });
    await stack.start();
    await stack.api('/api/project/main/backends/create', { type: 'vastai', creds: { api_key: API_KEY } });
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await containers.close();
    await cloud.close();
    served.close();
    rmSync(agents, { recursive: true, force: true });
  });

  it('runs a task on the machine that Vast.ai thinks best, when the better one is taken meanwhile', async () => {
    cloud.taken.add(28471937);
    stack.file(
      'train',
      `type: task\nname: train\nimage: dstack-test/musl\nenv: [TOKEN=s3same]\ncommands:\n  - echo "$DSTACK_RUN_NAME has $TOKEN and $DSTACK_GPUS_NUM GPU"\n${GPU}\nbackends: [vastai]\nspot_policy: on-demand\n`,
    );
    const applied = await stack.cli(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(applied.stdout + applied.stderr).toContain('train has s3same and 1 GPU');
    expect(applied.code).toBe(0);
    expect(cloud.requests.filter((request) => request.startsWith('PUT')).map((request) => request.split('/').at(-2))).toEqual([
      '28471937',
      '28471938',
    ]); // prettier-ignore
    await givenBack();
    expect(cloud.contracts.size).toBe(0);
    expect(cloud.violations).toEqual([]);
  }, 180_000);

  it('works in a container that was had by bid, over ssh', async () => {
    cloud.taken.clear();
    stack.file(
      'box',
      `type: dev-environment\nname: box\nide: zed\nimage: dstack-test/busybox\n${GPU}\nbackends: [vastai]\nspot_policy: spot\n`,
    );
    expect(await stack.cli(['apply', '-y', '-d', '-f', 'box.dstack.yml'])).toMatchObject({ code: 0 });
    await stack.until('the run', async () => /running/.test(await stack.statusOf('box')), 90_000);
    expect([...cloud.contracts.values()]).toMatchObject([{ price: 0.2 }]);
    const attached = stack.startCli(['attach', 'box']);
    await Promise.race([
      stack.until('the attachment', async () => attached.output().includes('Ctrl+C detaches')),
      attached.done.then((end) => Promise.reject(new Error(JSON.stringify(end)))),
    ]);
    const ssh = ['-F', join(stack.home, '.dstack/ssh/config'), 'box', 'echo "in $DSTACK_RUN_NAME"; id -u'];
    expect((await run('ssh', ssh, { timeout: 20_000 })).stdout).toBe('in box\n0\n');
    await stack.cli(['stop', '-x', 'box', '-y']);
    await attached.done;
    await givenBack();
    expect(cloud.contracts.size).toBe(0);
  }, 180_000);
});
