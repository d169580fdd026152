import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerPods, KubernetesFake, type Roles, type Rule } from '@dstack/cloud-fakes/kubernetes';
import { type FakePod, RunpodFake } from '@dstack/cloud-fakes/runpod';
import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { loadAll } from 'js-yaml';
import { buildAgentImage } from '../src/agent-image.js';
import { wentPastProgram } from '../src/past-gateway-program.js';
import { agentFolder, canRunContainers, gatewayFolder, repositoryRoot } from '../src/programs.js';
import { RentedContainers } from '../src/rented-containers.js';
import { serveAgents, type ServedAgents } from '../src/served-agents.js';
import { Stack } from '../src/stack.js';

const why =
  whyNoTestHosts() ??
  (canRunContainers() ? null : 'no container engine') ??
  (existsSync('/usr/sbin/nginx') ? null : 'there is no nginx') ??
  (existsSync(gatewayFolder) ? null : 'the folder of the gateway is not built');
if (why !== null) console.warn(`The stories of gateways before containers are left out: ${why}`);

const API_KEY = 'rpa_secret';
const TOKEN = 'token-of-the-account';

/** Containers and pods of clouds are containers of this machine, at an address that the gateway reaches too. */
(why === null ? describe : describe.skip)('services in containers of clouds, behind a gateway', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  let network: TestNetwork;
  let edge: TestHost;
  let containers: RentedContainers;
  let runpod: RunpodFake;
  let served: ServedAgents;
  let stack: Stack;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    edge = await network.host({ name: 'edge', user: 'ops' });
    containers = new RentedContainers(network.gateway);
    served = await serveAgents(() => join(stack.serverDir, 'agents'));
    runpod = await RunpodFake.start({ apiKey: API_KEY, boot, halt: (pod) => containers.halt(pod.id) });
    stack = new Stack({
      DSTACK_SERVER_AGENT_DIR: agents,
      DSTACK_SERVER_BACKEND_ENDPOINTS: `runpod=${runpod.url}`,
      DSTACK_AGENT_DOWNLOAD_URL: served.url,
      DSTACK_AGENT_IMAGE: buildAgentImage(),
    });
    await stack.start();
    const host = `{hostname: ${edge.address}, user: ${edge.user}, identity_file: ${edge.identityFile}}`;
    const made = await apply('edge', `type: gateway\nname: edge\nbackend: ssh\ndomain: example.com\ncertificate: null\nssh_config:\n  hosts:\n    - ${host}\n`); // prettier-ignore
    expect(made).toMatchObject({ code: 0 });
  }, 180_000);

  afterAll(async () => {
    await stack.close();
    await containers.close();
    await runpod.close();
    served.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const boot = (pod: FakePod) => {
    const { cmd, entrypoint } = JSON.parse(pod.dockerArgs) as { cmd: string[]; entrypoint: string[] };
    const [shell = '', ...options] = entrypoint;
    return containers.boot({ ...pod, entrypoint: shell, args: [...options, ...cmd] });
  };
  const apply = (name: string, text: string, ...flags: string[]) => {
    stack.file(name, text);
    return stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`, ...flags]);
  };
  const service = (name: string, word: string, more: string) => `type: service
name: ${name}
image: dstack-test/busybox
port: 8000
https: auto
replicas: 1
env: [WORD=${word}]
commands:
  - busybox mkdir -p /site && echo "$WORD" > /site/index.html
  - exec busybox httpd -f -p $DSTACK_SERVICE_PORT -h /site
${more}
`;
  const ask = (name: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { host: `${name}.example.com`, authorization: `Bearer ${stack.token}` };
      const sent = request({ host: edge.address, port: 80, path: '/', headers, agent: false, timeout: 30_000 }, (reply) => {
        let body = '';
        reply.on('data', (chunk: Buffer) => (body += chunk.toString()));
        reply.once('error', reject);
        reply.once('end', () => resolve(`${reply.statusCode} ${body}`));
      }); // prettier-ignore
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.once('error', reject);
      sent.end();
    });
  const says = (name: string, word: string) =>
    stack.until(`${name} to say ${word}`, async () => {
      const answer = await ask(name).catch(String);
      return answer === `200 ${word}\n`;
    }, 120_000); // prettier-ignore

  const pastProgram = (name: string) =>
    stack.until('requests to go past the gateway’s program', async () => {
      await ask(name);
      return wentPastProgram(edge, `${name}.example.com`);
    }, 60_000); // prettier-ignore

  it('are reached in a pod of RunPod, also while the server is away, and updated', async () => {
    await stack.api('/api/project/main/backends/create', {
      type: 'runpod',
      creds: { type: 'api_key', api_key: API_KEY },
    });
    const more = 'resources: {cpu: 2, memory: 1GB.., gpu: 0, disk: 10GB..}\nbackends: [runpod]';
    expect(await apply('web', service('web', 'one', more), '-d')).toMatchObject({ code: 0 });
    await says('web', 'one');
    await pastProgram('web');
    await stack.killServer();
    expect(await ask('web')).toBe('200 one\n');
    await stack.start();
    expect(await apply('web', service('web', 'two', more), '-d')).toMatchObject({ code: 0 });
    await says('web', 'two');
    await stack.until('the former pod to be given back', async () => containers.count === 1, 60_000);
    await stack.cli(['stop', '-y', 'web']);
    await stack.until('the pod to be given back', async () => containers.count === 0, 60_000);
    expect(runpod.violations).toEqual([]);
  }, 300_000);

  it('are reached in a pod of a cluster, through its jump', async () => {
    const pods = await DockerPods.start();
    const cluster = await KubernetesFake.start({
      token: TOKEN,
      roles: documentedRoles(),
      namespace: 'dstack',
      nodes: [
        {
          name: 'worker-1',
          labels: {},
          allocatable: { cpu: '3900m', memory: '8Gi', 'ephemeral-storage': '200Gi' },
          externalIp: network.gateway,
        },
      ],
      runner: pods,
      openNodePorts: network.gateway,
    });
    const kubeconfig = {
      clusters: [{ name: 'c', cluster: { server: cluster.url } }],
      users: [{ name: 'u', user: { token: TOKEN } }],
      contexts: [{ name: 'in-house', context: { cluster: 'c', user: 'u', namespace: 'dstack' } }],
    };
    try {
      await stack.api('/api/project/main/backends/create', {
        type: 'kubernetes',
        kubeconfig: { data: JSON.stringify(kubeconfig) },
        contexts: ['in-house'],
      });
      const more = 'resources: {cpu: 1, memory: 1GB.., gpu: 0, disk: 1GB..}\nbackends: [kubernetes]';
      expect(await apply('pod', service('pod', 'inside', more), '-d')).toMatchObject({ code: 0 });
      await says('pod', 'inside');
      await pastProgram('pod');
      await stack.cli(['stop', '-y', 'pod']);
      await stack.until('the pods to be gone', async () => (await pods.running()).length === 0, 60_000);
      expect(cluster.violations).toEqual([]);
    } finally {
      await cluster.close();
      await pods.close();
    }
  }, 300_000);
});

function documentedRoles(): Roles {
  const text = readFileSync(join(repositoryRoot, 'docs/backends/kubernetes-rbac.yaml'), 'utf8');
  const roles = loadAll(text) as { kind: string; rules: Rule[] }[]; // the manifest's own shape
  const rulesOf = (kind: string): Rule[] => roles.find((role) => role.kind === kind)?.rules ?? [];
  return { cluster: rulesOf('ClusterRole'), namespaced: rulesOf('Role') };
}
