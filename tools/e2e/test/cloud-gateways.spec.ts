import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { AwsFake } from '@dstack/cloud-fakes/aws';
import { AzureFake } from '@dstack/cloud-fakes/azure';
import { GcpFake } from '@dstack/cloud-fakes/gcp';
import { DockerPods, type FakeNode, KubernetesFake, type Roles, type Rule } from '@dstack/cloud-fakes/kubernetes';
import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { loadAll } from 'js-yaml';
import { CloudMachines } from '../src/cloud-machines.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { gatewayFolder, repositoryRoot } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

/** Made by tools/ci/make-test-images.sh. */
const POD_IMAGE = 'dstack-test/gateway';

const why = isFullRun
  ? (whyNoTestHosts() ??
    (existsSync('/usr/sbin/nginx') ? null : 'there is no nginx') ??
    (existsSync(gatewayFolder) ? null : 'the folder of the gateway is not built'))
  : OF_FULL_RUN;
if (isFullRun && why !== null) console.warn(`The stories of gateways of clouds are left out: ${why}`);

const AZURE = { tenantId: 'tenant', subscriptionId: 'subscription', clientId: 'client', clientSecret: 'its secret' };
const CERTIFICATE = 'arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012';
const NODE: FakeNode = {
  name: 'worker-1',
  labels: {},
  allocatable: { cpu: '3900m', memory: '8Gi', 'ephemeral-storage': '200Gi' },
  externalIp: '127.0.0.1',
};

/** Tells what it was sent. The agent brings its own node to every host. */
const SERVER =
  "require('node:http').createServer((q, r) => r.end(JSON.stringify(q.headers))).listen(process.env.DSTACK_SERVICE_PORT)";
const RUN =
  'D=$(ls -d /usr/local/lib/dstack/agent/*/ | head -n 1); exec $D/lib/ld-linux-* --library-path $D/lib $D/node -e "$SERVER"';

interface Gateway {
  readonly hostname: string | null;
  readonly replicas: readonly { readonly hostname: string | null }[];
}

interface Cloud {
  readonly backend: object;
  /** Of the gateway's configuration. */
  readonly gateway: string;
  readonly https: 'auto' | 'true';
  /** What `dstack apply` tells to be written into the DNS. */
  readonly record: RegExp;
  readonly port: number;
  readonly violations: () => readonly string[];
  /** How many things of the gateway the cloud still has. */
  readonly left: () => number;
}

function documentedRoles(): Roles {
  const text = readFileSync(join(repositoryRoot, 'docs/backends/kubernetes-rbac.yaml'), 'utf8');
  const roles = loadAll(text) as { kind: string; rules: Rule[] }[]; // the manifest's own shape
  const rulesOf = (kind: string): Rule[] => roles.find((role) => role.kind === kind)?.rules ?? [];
  return { cluster: rulesOf('ClusterRole'), namespaced: rulesOf('Role') };
}

function hasPodImage(): boolean {
  try {
    execFileSync('docker', ['image', 'inspect', POD_IMAGE], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

(why === null ? describe : describe.skip)('services behind a gateway that a cloud provides', () => {
  let network: TestNetwork;
  let worker: TestHost;
  let machines: CloudMachines;
  let pods: DockerPods;
  let aws: AwsFake;
  let azure: AzureFake;
  let gcp: GcpFake;
  let cluster: KubernetesFake;
  let stack: Stack;
  const clouds = new Map<string, Cloud>();

  beforeAll(async () => {
    network = await createTestNetwork();
    machines = new CloudMachines(network);
    worker = await network.host({ name: 'worker' });
    const boot = (machine: Parameters<CloudMachines['boot']>[0]) => machines.boot(machine, []);
    const halt = (machine: Parameters<CloudMachines['halt']>[0]) => machines.halt(machine);
    const noNodes = async (): Promise<never> => Promise.reject(new Error('there are no TPUs in this story'));
    aws = await AwsFake.start({ accessKey: 'AKIAFAKE', boot, halt });
    aws.certificates.set(CERTIFICATE, 'ISSUED');
    azure = await AzureFake.start({ account: AZURE, boot, halt });
    gcp = await GcpFake.start({ boot, halt, bootNode: noNodes, haltNode: noNodes });
    pods = await DockerPods.start();
    cluster = await KubernetesFake.start({ token: 'token', roles: documentedRoles(), namespace: 'dstack', nodes: [NODE], runner: pods, openNodePorts: '127.0.0.1' }); // prettier-ignore
    stack = new Stack({
      DSTACK_SERVER_BACKEND_ENDPOINTS: `aws=${aws.url},azure=${azure.url},gcp=${gcp.url}`,
      DSTACK_GATEWAY_IMAGE: POD_IMAGE,
    });
    await stack.start();
    describeClouds();
    stack.file('lab', `type: fleet\nname: lab\nssh_config:\n  hosts:\n    - {hostname: ${worker.address}, user: ${worker.user}, identity_file: ${worker.identityFile}}\n`); // prettier-ignore
    await stack.cli(['apply', '-y', '-f', 'lab.dstack.yml']);
  }, 180_000);

  afterAll(async () => {
    await stack.close();
    for (const fake of [aws, azure, gcp, cluster]) await fake.close();
    await pods.close();
    await network.remove();
  });

  function describeClouds(): void {
    clouds.set('gcp', {
      backend: { type: 'gcp', project_id: gcp.project, regions: ['us-central1'], creds: { type: 'service_account', data: gcp.key.file } },
      gateway: 'backend: gcp\nregion: us-central1\ncertificate: null',
      https: 'auto',
      record: /\*\.gcp\.test {2}A {2}[\d.]+/,
      port: 18601,
      violations: () => gcp.violations,
      left: () => machines.count,
    }); // prettier-ignore
    clouds.set('azure', {
      backend: { type: 'azure', tenant_id: AZURE.tenantId, subscription_id: AZURE.subscriptionId, regions: ['eastus'], creds: { type: 'client', client_id: AZURE.clientId, client_secret: AZURE.clientSecret } },
      gateway: 'backend: azure\nregion: eastus\ncertificate: null',
      https: 'auto',
      record: /\*\.azure\.test {2}A {2}[\d.]+/,
      port: 18602,
      violations: () => azure.violations,
      left: () => machines.count + azure.machines.length + azure.belongings.length,
    }); // prettier-ignore
    clouds.set('aws', {
      backend: { type: 'aws', regions: ['us-east-1'], creds: { type: 'access_key', access_key: 'AKIAFAKE', secret_key: 'secret' } },
      gateway: `backend: aws\nregion: us-east-1\ncertificate: {type: acm, arn: "${CERTIFICATE}"}`,
      https: 'true',
      record: /\*\.aws\.test {2}CNAME {2}dstack-aws-[0-9a-f]{12}-\d+\.us-east-1\.elb\.amazonaws\.com/,
      port: 18603,
      violations: () => aws.violations,
      left: () => machines.count + (aws.balancing('us-east-1').isEmpty ? 0 : 1),
    }); // prettier-ignore
    const kubeconfig = { clusters: [{ name: 'c', cluster: { server: cluster.url } }], users: [{ name: 'u', user: { token: 'token' } }], contexts: [{ name: 'in-house', context: { cluster: 'c', user: 'u', namespace: 'dstack' } }] }; // prettier-ignore
    clouds.set('kubernetes', {
      backend: { type: 'kubernetes', kubeconfig: { data: JSON.stringify(kubeconfig) }, contexts: ['in-house'] },
      gateway: 'backend: kubernetes\nregion: in-house\ncertificate: null',
      https: 'auto',
      record: /\*\.kubernetes\.test {2}A {2}[\d.]+/,
      port: 18604,
      violations: () => cluster.violations,
      left: () => ['pods', 'services', 'secrets'].reduce((sum, each) => sum + cluster.objects.list(each, null).length, 0), // prettier-ignore
    });
  }

  const ask = (address: string, host: string, headers: Readonly<Record<string, string>>) =>
    new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
      const sent = request({ host: address, port: 80, headers: { host, ...headers }, agent: false, timeout: 30_000 }, (reply) => {
        let body = '';
        reply.on('data', (chunk: Buffer) => (body += chunk.toString()));
        reply.once('error', reject);
        reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body }));
      }); // prettier-ignore
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.once('error', reject);
      sent.end();
    });

  it.each(['gcp', 'azure', 'aws', 'kubernetes'])('of %s are reached by their names, and it leaves nothing there', async (name) => {
    if (name === 'kubernetes' && !hasPodImage()) return console.warn(`There is no image ${POD_IMAGE}`);
    const cloud = clouds.get(name);
    if (cloud === undefined) throw new Error(`no cloud ${name}`);
    await stack.api('/api/project/main/backends/create', cloud.backend);
    stack.file(name, `type: gateway\nname: ${name}\ndomain: ${name}.test\n${cloud.gateway}\n`);
    const made = await stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`]);
    expect(made.stdout + made.stderr).toMatch(cloud.record);
    const gateway = await stack.api<Gateway>('/api/project/main/gateways/get', { name });
    stack.file('web', `type: service
name: web-${name}
port: ${cloud.port}
https: ${cloud.https}
gateway: ${name}
env: [${JSON.stringify(`SERVER=${SERVER}`)}]
commands: [${JSON.stringify(RUN)}]
fleets: [lab]
${SMALL}
`);
    expect(await stack.cli(['apply', '-y', '-d', '-f', 'web.dstack.yml'])).toMatchObject({ code: 0 });
    // Past the balancer, as that would: the stand-in forwards nothing.
    const address = gateway.replicas[0]?.hostname ?? '';
    const host = `web-${name}.${name}.test`;
    const headers = { authorization: `Bearer ${stack.token}` };
    const answer = await stack.until(`an answer through the gateway of ${name}`, async () => {
      const got = await ask(address, host, headers).catch(() => null);
      return got?.status === 200 && got;
    }, 120_000); // prettier-ignore
    expect(JSON.parse(answer.body)).toMatchObject({ host, 'x-forwarded-proto': cloud.https === 'true' ? 'https' : 'http' });
    expect(answer.body).not.toContain(stack.token);
    expect((await ask(address, host, { authorization: 'Bearer a-stranger' })).status).toBeGreaterThanOrEqual(401);
    await stack.cli(['stop', '-y', `web-${name}`]);
    await stack.until('its end', async () => (await stack.cli(['gateway', 'delete', '-y', name])).code === 0, 60_000);
    await stack.until('the gateway to be gone', async () => !(await stack.cli(['gateway'])).stdout.includes(`${name} `), 120_000); // prettier-ignore
    await stack.until('nothing to be left of it', async () => cloud.left() === 0, 60_000);
    expect(cloud.violations()).toEqual([]);
  }, 400_000); // prettier-ignore
});
