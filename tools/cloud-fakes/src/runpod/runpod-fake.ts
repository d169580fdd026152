import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenApiCheck } from '../spec/index.js';
import { type Deployment, GraphqlInputs } from './graphql-inputs.js';
import { answerBids } from './bids.js';
import { answerClusterTypes, CLUSTER_CENTER, clusterView, type FakeCluster } from './clusters.js';
import { podView } from './pod-view.js';
import { CPUS, DATA_CENTERS, GPUS } from './runpod-catalog.js';
import { HttpFake } from '../http/index.js';

export interface FakePod {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly type: string;
  readonly cloud: string;
  readonly dataCenterId: string | null;
  readonly diskGb: number;
  /** JSON of `cmd` and `entrypoint`. */
  readonly dockerArgs: string;
  readonly env: Readonly<Record<string, string>>;
  registryId: string | null;
  readonly volumeId: string | null;
  readonly createdAt: number;
  readonly input: Readonly<Record<string, unknown>>;
  status: 'PROVISIONING' | 'STARTING' | 'RUNNING' | 'EXITED' | 'ERROR' | 'TERMINATED';
  /** Of one that was made with others. */
  readonly cluster: { readonly id: string; readonly rank: number } | null;
  door: FakeDoor | null;
}

/** Where port 10022 of the container is, and the container itself in the network of its cluster. */
export interface FakeDoor {
  readonly host: string;
  readonly port: number;
  readonly internalIp?: string;
}

export interface RunpodFakeOptions {
  readonly apiKey: string;
  /** Starts the container; rejects: the pod ends in error. */
  readonly boot: (pod: FakePod) => Promise<FakeDoor>;
  readonly halt: (pod: FakePod) => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

const NO_ROOM =
  'There are no longer any instances available with the requested specifications. Please refresh and try again.';

const problem = (status: number, title: string, detail: string): Answer => ({
  status,
  body: { title, status, detail },
});

/** RunPod's REST v2 and the GraphQL mutations that make pods, on loopback. What its description does not allow is in `violations`. */
export class RunpodFake extends HttpFake {
  readonly pods = new Map<string, FakePod>();
  readonly clusters = new Map<string, FakeCluster>();
  /** Deleting the next cluster leaves so many of its pods behind. */
  leftBehind = 0;
  /** Pods are not ended, though RunPod says so. */
  stubborn = false;
  /** The next deployment is carried out, and complained about. */
  complainNext: string | null = null;
  /** Images that are pulled only with a registry's credentials. */
  readonly privateImages = new Set<string>();
  readonly registries: (Named & { username: string; password: string })[] = [];
  readonly volumes: (Named & { size: number; dataCenter: string })[] = [];
  readonly violations: string[] = [];
  readonly requests: string[] = [];
  /** GPU types and sizes of processors without capacity from now on. */
  readonly exhausted = new Set<string>();
  /** The next deployments are carried out and their answers lost. */
  lostDeployments = 0;
  /** The next requests (to paths that end so) are answered so instead. */
  readonly refusals: { readonly path: string; readonly answer: Answer }[] = [];
  /** Pods appear in the list that late. */
  listLagMs = 0;
  private readonly check = new OpenApiCheck(new URL('../../specs/runpod-v2.json', import.meta.url));
  private readonly inputs = new GraphqlInputs();
  private nextId = 1;

  private constructor(private readonly options: RunpodFakeOptions) {
    super();
  }

  static start(options: RunpodFakeOptions): Promise<RunpodFake> {
    return new RunpodFake(options).listen();
  }

  get living(): FakePod[] {
    return [...this.pods.values()].filter(({ status }) => status !== 'TERMINATED');
  }

  /** As when its host dies. */
  lose(pod: FakePod): void {
    pod.status = 'TERMINATED';
    void this.options.halt(pod);
  }

  /** Refuses the next request to the path in the words of REST. */
  refuseNext(status: number, detail: string, path: string, headers: Readonly<Record<string, string>> = {}): void {
    this.refusals.push({ path, answer: { ...problem(status, 'Refused', detail), headers } });
  }

  /** Refuses the next deployment in the words of GraphQL: with status 200. */
  refuseDeployment(message: string): void {
    this.refusals.push({ path: '/graphql', answer: graphqlError(message) });
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(`${method} ${url.pathname}`);
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const answer = this.answer(method, url, request.headers.authorization, body);
    if (answer === null) {
      response.destroy();
      return;
    }
    const type = answer.status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(answer.status, { 'content-type': type, ...answer.headers });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  }

  /** Null: the connection breaks. */
  private answer(method: string, url: URL, auth: string | undefined, body: unknown): Answer | null {
    const { pathname: path } = url;
    const refusal = this.refusals.findIndex(({ path: end }) => path.endsWith(end));
    if (refusal !== -1) return this.refusals.splice(refusal, 1)[0]?.answer ?? null;
    if (auth !== `Bearer ${this.options.apiKey}`) return problem(401, 'Unauthorized', 'invalid or missing API key');
    if (path === '/graphql') return this.graphql(body);
    const template = path.replace(/^(\/v2\/(?:pods|clusters|registries|network-volumes))\/[^/]+/, '$1/{id}');
    if (method === 'POST' || method === 'PATCH') this.note(this.check.request(method, template, body));
    const answer = this.route(`${method} ${template}`, url, body);
    if (answer.status < 300 && answer.body !== undefined)
      this.note(this.check.response(method, template, answer.status, answer.body));
    return answer;
  }

  private note(violation: string | null): void {
    if (violation !== null) this.violations.push(violation);
  }

  private route(operation: string, url: URL, body: unknown): Answer {
    const id = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
    switch (operation) {
      case 'GET /v2/pods':
        return { status: 200, body: { pods: this.listed(url.searchParams).map(podView) } };
      case 'GET /v2/pods/{id}': {
        const pod = this.pods.get(id);
        return pod === undefined || pod.status === 'TERMINATED'
          ? problem(404, 'Not Found', 'pod not found')
          : { status: 200, body: podView(pod) };
      }
      case 'DELETE /v2/pods/{id}':
        return this.terminate(id);
      case 'PATCH /v2/pods/{id}':
        return this.setRegistry(id, body as { registry: string }); // checked above
      case 'GET /v2/clusters':
        return { status: 200, body: { clusters: this.livingClusters.map((each) => clusterView(each, this.podsOf(each.id))) } }; // prettier-ignore
      case 'GET /v2/clusters/{id}/pods':
        return this.podsOfCluster(url.pathname.split('/').at(-2) ?? '');
      case 'DELETE /v2/clusters/{id}':
        return this.deleteCluster(id);
      case 'GET /v2/registries':
        return { status: 200, body: { registries: this.registries.map(({ id: of, name }) => ({ id: of, name })) } };
      case 'POST /v2/registries': {
        const registry = {
          id: `reg${this.nextId++}`,
          ...(body as { name: string; username: string; password: string }),
        }; // checked above
        this.registries.push(registry);
        return { status: 201, body: { id: registry.id, name: registry.name } };
      }
      case 'DELETE /v2/registries/{id}':
        return remove(this.registries, id, 'registry not found');
      case 'GET /v2/network-volumes':
        return { status: 200, body: { networkVolumes: this.volumes.map(volumeView) } };
      case 'POST /v2/network-volumes': {
        const volume = { id: `vol${this.nextId++}`, ...(body as { name: string; size: number; dataCenter: string }) }; // checked above
        if (!DATA_CENTERS.includes(volume.dataCenter)) return problem(400, 'Bad Request', 'unknown data center');
        this.volumes.push(volume);
        return { status: 201, body: volumeView(volume) };
      }
      case 'DELETE /v2/network-volumes/{id}':
        return remove(this.volumes, id, 'network volume not found');
      case 'GET /v2/catalog/gpus':
        return this.gpus(url.searchParams);
      case 'GET /v2/catalog/cpus':
        return { status: 200, body: { cpus: CPUS.map((cpu) => ({ ...cpu, price: prices(cpu.price), dataCenters: this.places(cpu.id) })) } }; // prettier-ignore
      case 'GET /v2/catalog/datacenters':
        return { status: 200, body: { dataCenters: DATA_CENTERS.map(dataCenterView) } };
      default:
        this.violations.push(`${operation}: no such operation`);
        return problem(404, 'Not Found', 'no such operation');
    }
  }

  get livingClusters(): FakeCluster[] {
    return [...this.clusters.values()].filter(({ isDeleted }) => !isDeleted);
  }

  private listed(query: URLSearchParams): FakePod[] {
    const isShown = ({ cluster }: FakePod): boolean => cluster === null || query.get('includeClusterPods') === 'true';
    return this.living.filter((pod) => isShown(pod) && Date.now() >= pod.createdAt + this.listLagMs);
  }

  private podsOf(clusterId: string): FakePod[] {
    return this.living.filter(({ cluster }) => cluster?.id === clusterId);
  }

  private podsOfCluster(id: string): Answer {
    const isThere = this.livingClusters.some((each) => each.id === id);
    return isThere
      ? { status: 200, body: { pods: this.podsOf(id).map(podView) } }
      : problem(404, 'Not Found', 'Cluster not found');
  }

  private deleteCluster(id: string): Answer {
    const cluster = this.livingClusters.find((each) => each.id === id);
    if (cluster === undefined) return problem(404, 'Not Found', 'Cluster not found');
    cluster.isDeleted = true;
    for (const pod of this.podsOf(id).slice(this.leftBehind)) this.terminate(pod.id);
    this.leftBehind = 0;
    return { status: 204 };
  }

  private setRegistry(id: string, { registry }: { readonly registry: string }): Answer {
    const pod = this.pods.get(id);
    if (pod === undefined || pod.status === 'TERMINATED') return problem(404, 'Not Found', 'pod not found');
    if (!this.registries.some((each) => each.id === registry)) return problem(404, 'Not Found', 'registry not found');
    pod.registryId = registry;
    this.start(pod);
    return { status: 200, body: podView(pod) };
  }

  /** Stock may not be asked for without saying for what. */
  private gpus(query: URLSearchParams): Answer {
    if (query.get('include') === 'AVAILABILITY' && query.get('product') === null)
      return problem(400, 'Bad Request', 'include=AVAILABILITY requires product');
    const count = Number(query.get('count') ?? '1');
    const isSecure = query.get('cloud') !== 'COMMUNITY';
    const isCluster = query.get('product') === 'CLUSTER';
    const gpus = GPUS.map(({ clusterPrice, ...gpu }) => {
      const isThere = count <= (isSecure ? gpu.maxCount.secure : gpu.maxCount.community) && !this.exhausted.has(gpu.id);
      return {
        ...gpu,
        availability: isThere ? 'HIGH' : 'NONE',
        ...(isThere && isSecure ? { dataCenters: this.places(gpu.id, isCluster ? CLUSTER_CENTER : undefined) } : {}),
        ...(isCluster && clusterPrice === 0 ? { availability: 'NONE', dataCenters: [] } : {}),
      };
    });
    return { status: 200, body: { gpus } };
  }

  /** In the first data center there is much, elsewhere none; of clusters in theirs. */
  private places(type: string, center = DATA_CENTERS[0]): object[] {
    const has = [...this.exhausted].some((name) => name.startsWith(type)) ? 'NONE' : 'LOW';
    return DATA_CENTERS.map((id) => ({ id, name: id, availability: id === center ? has : 'NONE' }));
  }

  private graphql(body: unknown): Answer | null {
    const { query = '' } = body as { readonly query?: string };
    const types = answerClusterTypes(query, GPUS);
    if (types !== null) return { status: 200, body: { data: types } };
    if (query.startsWith('query')) return this.bids(query);
    const deployment = this.inputs.read(body);
    if (typeof deployment === 'string') {
      this.violations.push(deployment);
      return { status: 400, body: { errors: [{ message: deployment }] } };
    }
    const refusal = this.refuse(deployment);
    if (refusal !== null) return graphqlError(refusal, deployment.mutation);
    const made = deployment.mutation === 'createCluster' ? this.deployCluster(deployment) : this.deploy(deployment);
    const data = { [deployment.mutation]: made };
    const errors = this.complainNext === null ? {} : { errors: [{ message: this.complainNext }] };
    this.complainNext = null;
    if (this.lostDeployments === 0) return { status: 200, body: { data, ...errors } };
    this.lostDeployments -= 1;
    return null;
  }

  private bids(query: string): Answer {
    const data = answerBids(query);
    if (typeof data !== 'string') return { status: 200, body: { data } };
    this.violations.push(data);
    return { status: 400, body: { errors: [{ message: data }] } };
  }

  private refuse({ mutation, input }: Deployment): string | null {
    const type = String(input['gpuTypeId'] ?? input['instanceId']);
    if (this.exhausted.has(type)) return mutation === 'createCluster' ? 'Insufficient resources' : NO_ROOM;
    const isKnown = GPUS.some(({ id }) => id === type) || CPUS.some(({ id }) => type.startsWith(`${id}-`));
    if (!isKnown) return 'GPU type not found';
    const auth = input['containerRegistryAuthId'];
    if (auth !== undefined && !this.registries.some(({ id }) => id === auth)) return 'Registry auth not found';
    return null;
  }

  private deployCluster({ input }: Deployment): object {
    const id = `cluster${this.nextId++}`;
    this.clusters.set(id, {
      id,
      name: String(input['clusterName']),
      input,
      createdAt: Date.now(),
      isDeleted: false,
    });
    const count = Number(input['podCount']);
    // In no order: ranks are given later.
    const pods = Array.from({ length: count }, (_, index) => {
      const rank = count - 1 - index;
      const name = `${String(input['clusterName'])}-pod-${rank}`;
      return this.makePod({ ...input, name, cloudType: 'SECURE' }, { id, rank });
    });
    return { id, pods: pods.map((pod) => ({ id: pod.id })) };
  }

  private deploy({ input }: Deployment): object {
    return { id: this.makePod(input, null).id };
  }

  private makePod(input: Deployment['input'], cluster: FakePod['cluster']): FakePod {
    const text = (name: string): string => (input[name] as string | undefined) ?? ''; // checked above
    const pod: FakePod = {
      id: `pod${String(this.nextId++).padStart(11, '0')}`,
      name: text('name'),
      image: text('imageName'),
      type: text('gpuTypeId') || text('instanceId'),
      cloud: text('cloudType'),
      dataCenterId: text('dataCenterId') || null,
      diskGb: Number(input['containerDiskInGb']),
      dockerArgs: text('dockerArgs'),
      env: Object.fromEntries((input['env'] as { key: string; value: string }[]).map(({ key, value }) => [key, value])), // checked above
      registryId: text('containerRegistryAuthId') || null,
      volumeId: text('networkVolumeId') || null,
      createdAt: Date.now(),
      input,
      cluster,
      status: 'PROVISIONING',
      door: null,
    };
    this.pods.set(pod.id, pod);
    this.start(pod);
    return pod;
  }

  private start(pod: FakePod): void {
    // Until then it pulls in vain.
    if (this.privateImages.has(pod.image) && pod.registryId === null) return;
    this.options.boot(pod).then(
      (door) => {
        if (pod.status === 'PROVISIONING') Object.assign(pod, { status: 'RUNNING', door });
      },
      () => {
        if (pod.status === 'PROVISIONING') pod.status = 'ERROR';
      },
    );
  }

  private terminate(id: string): Answer {
    const pod = this.pods.get(id);
    if (pod === undefined || pod.status === 'TERMINATED') return problem(404, 'Not Found', 'pod not found');
    if (this.stubborn) return { status: 204 };
    pod.status = 'TERMINATED';
    void this.options.halt(pod);
    return { status: 204 };
  }
}

/** Refused is a deployment with status 200, too. */
function graphqlError(message: string, mutation = 'podFindAndDeployOnDemand'): Answer {
  return { status: 200, body: { errors: [{ message, extensions: { code: 'RUNPOD' } }], data: { [mutation]: null } } };
}

function remove(from: Named[], id: string, missing: string): Answer {
  const index = from.findIndex((each) => each.id === id);
  if (index === -1) return problem(404, 'Not Found', missing);
  from.splice(index, 1);
  return { status: 204 };
}

function prices(perVcpu: number): object {
  return { securePerVcpu: perVcpu, serverlessPerVcpu: perVcpu };
}

function volumeView({ id, name, size, dataCenter }: Named & { size: number; dataCenter: string }): object {
  return { id, name, size, dataCenter, type: 'STANDARD' };
}

function dataCenterView(id: string): object {
  const region = id.startsWith('EU') ? 'EUROPE' : 'NORTH_AMERICA';
  return { id, name: id, region, globalNetwork: true, networkVolumeTypes: ['STANDARD'], compliance: [] };
}
