import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RestClient } from '@dstack/backend-base/rest';
import type { FakeNode } from '@dstack/cloud-fakes/kubernetes';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { z } from 'zod';
import { call, documentedRoles, environment, NAMESPACE } from './kubernetes-world.js';

const ADMIN = 'admin-token';
const USER = 'dstack';
export const USER_TOKEN = 'token-of-dstack';

/** The real API server, scheduler and store of Kubernetes, without controllers and nodes: what a kubelet tells of pods is told here. */
export class RealCluster {
  private readonly processes: ChildProcess[] = [];
  private readonly work = mkdtempSync(join(tmpdir(), 'kube-'));
  private stopped = false;

  private constructor(
    private readonly binaries: string,
    private readonly port: number,
  ) {}

  static async start(binaries: string, nodes: readonly FakeNode[]): Promise<RealCluster> {
    const cluster = new RealCluster(binaries, await freePort());
    await cluster.startServers(await freePort(), await freePort());
    const admin = await cluster.admin();
    await cluster.prepare(admin, nodes);
    void cluster.actAsNodes(admin);
    return cluster;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Of who signed the server's certificate. */
  get authority(): string {
    return readFileSync(join(this.work, 'certs', 'apiserver.crt')).toString('base64');
  }

  async cordonAll(): Promise<void> {
    const admin = await this.admin();
    const { items } = await send<{ items: V1Node[] }>(admin, 'GET', '/api/v1/nodes');
    for (const node of items)
      await send(admin, 'PUT', `/api/v1/nodes/${node.metadata?.name}`, { ...node, spec: { ...node.spec, unschedulable: true } }); // prettier-ignore
  }

  async uncordonAll(): Promise<void> {
    const admin = await this.admin();
    const { items } = await send<{ items: V1Node[] }>(admin, 'GET', '/api/v1/nodes');
    for (const node of items)
      await send(admin, 'PUT', `/api/v1/nodes/${node.metadata?.name}`, { ...node, spec: { taints: [] } });
  }

  async names(resource: string): Promise<string[]> {
    const path = `/api/v1/namespaces/${NAMESPACE}/${resource}`;
    const { items } = await send<{ items: { metadata: { name: string } }[] }>(await this.admin(), 'GET', path);
    return items.map(({ metadata }) => metadata.name);
  }

  close(): void {
    this.stopped = true;
    for (const child of this.processes.reverse()) child.kill('SIGKILL');
    rmSync(this.work, { recursive: true, force: true, maxRetries: 5 });
  }

  private async startServers(etcdPort: number, peerPort: number): Promise<void> {
    const { work } = this;
    const certs = join(work, 'certs');
    mkdirSync(certs);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = join(work, 'sa.key');
    writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }));
    writeFileSync(join(work, 'tokens.csv'), `${ADMIN},admin,admin,"system:masters"\n${USER_TOKEN},${USER},${USER}\n`);
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    this.spawn('etcd', [
      ...['--data-dir', join(work, 'etcd'), '--listen-client-urls', etcd, '--advertise-client-urls', etcd],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
      '--unsafe-no-fsync',
    ]);
    this.spawn('kube-apiserver', [
      ...['--etcd-servers', etcd, '--secure-port', String(this.port), '--bind-address', '127.0.0.1'],
      ...['--cert-dir', certs, '--token-auth-file', join(work, 'tokens.csv'), '--authorization-mode', 'RBAC'],
      ...['--service-account-issuer', 'https://localhost', '--service-account-key-file', key],
      ...['--service-account-signing-key-file', key, '--service-cluster-ip-range', '10.0.0.0/24'],
      ...['--disable-admission-plugins', 'ServiceAccount', '--allow-privileged'],
    ]);
    const admin = JSON.stringify({
      'current-context': 'a',
      clusters: [{ name: 'a', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'a', user: { token: ADMIN } }],
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    });
    const config = join(work, 'admin.json');
    writeFileSync(config, admin);
    await this.untilReady();
    this.spawn('kube-scheduler', ['--kubeconfig', config, '--leader-elect=false', '--secure-port=0']);
  }

  private spawn(program: string, args: readonly string[]): void {
    this.processes.push(spawn(join(this.binaries, program), args, { stdio: 'ignore', cwd: this.work }));
  }

  private async untilReady(): Promise<void> {
    for (let left = 300; ; left -= 1) {
      try {
        return void (await send(await this.admin(), 'GET', '/readyz?verbose=false'));
      } catch (error) {
        if (left === 0) throw error;
        await sleep(200);
      }
    }
  }

  private admin(): Promise<RestClient> {
    const httpsAgent = new Agent({ rejectUnauthorized: false });
    return RestClient.open({
      baseUrl: this.url,
      headers: { authorization: `Bearer ${ADMIN}` },
      connection: async () => ({ headers: {}, httpsAgent }),
      secrets: [],
      explain: ({ status, body }) => ({
        failure: { kind: 'rejected', blocks: 'offer' },
        message: `${status} ${JSON.stringify(body)}`,
      }),
      environment: environment(),
    });
  }

  private async prepare(admin: RestClient, nodes: readonly FakeNode[]): Promise<void> {
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const subjects = [{ kind: 'User', name: USER, apiGroup: 'rbac.authorization.k8s.io' }];
    const refTo = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name: USER });
    const { cluster, namespaced } = documentedRoles();
    const metadata = { name: USER };
    await send(admin, 'POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
    await send(admin, 'POST', `${rbac}/clusterroles`, { metadata, rules: cluster });
    await send(admin, 'POST', `${rbac}/clusterrolebindings`, { metadata, subjects, roleRef: refTo('ClusterRole') });
    await send(admin, 'POST', `${rbac}/namespaces/${NAMESPACE}/roles`, { metadata, rules: namespaced });
    await send(admin, 'POST', `${rbac}/namespaces/${NAMESPACE}/rolebindings`, { metadata, subjects, roleRef: refTo('Role') }); // prettier-ignore
    for (const { name, labels, allocatable, externalIp } of nodes) {
      const arch = { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/hostname': name };
      const node = await send<V1Node>(admin, 'POST', '/api/v1/nodes', { metadata: { name, labels: { ...arch, ...labels } } }); // prettier-ignore
      const status = {
        allocatable: { ...allocatable, pods: '110' },
        capacity: { ...allocatable, pods: '110' },
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'ExternalIP', address: externalIp ?? '198.51.100.1' }],
        nodeInfo: { ...EMPTY_INFO, architecture: 'amd64', operatingSystem: 'linux' },
      };
      const told = await send<V1Node>(admin, 'PUT', `/api/v1/nodes/${name}/status`, { ...node, status });
      // The controller that takes this taint away is not there.
      await send(admin, 'PUT', `/api/v1/nodes/${name}`, { ...told, spec: { taints: [] } });
    }
  }

  /** Pods that were given a node run at once, and are gone once they are to go. */
  private async actAsNodes(admin: RestClient): Promise<void> {
    let last = 1;
    while (!this.stopped) {
      try {
        const { items } = await send<{ items: V1Pod[] }>(admin, 'GET', '/api/v1/pods');
        for (const pod of items) {
          const path = `/api/v1/namespaces/${pod.metadata?.namespace}/pods/${pod.metadata?.name}`;
          if (pod.spec?.nodeName === undefined) continue;
          if (pod.metadata?.deletionTimestamp !== undefined)
            await send(admin, 'DELETE', `${path}?gracePeriodSeconds=0`);
          else if (pod.status?.phase === 'Pending') {
            const conditions = [...(pod.status.conditions ?? []), { type: 'Ready', status: 'True' }];
            const podIP = `10.244.0.${(last = (last % 250) + 1)}`;
            await send(admin, 'PUT', `${path}/status`, { ...pod, status: { ...pod.status, phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions } }); // prettier-ignore
          }
        }
      } catch {
        // Somebody else changed the pod meanwhile: the next round sees it.
      }
      await sleep(50);
    }
  }
}

const EMPTY_INFO = {
  bootID: '',
  containerRuntimeVersion: '',
  kernelVersion: '',
  kubeProxyVersion: '',
  kubeletVersion: '',
  machineID: '',
  osImage: '',
  systemUUID: '',
};

async function send<T>(
  client: RestClient,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  // The API's own types, for what these tests read.
  return (await client.send({ method, path, body, schema: z.unknown() }, call())) as T;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo; // TCP
  await new Promise((resolve) => server.close(resolve));
  return port;
}
