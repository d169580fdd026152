import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenApiCheck } from '../spec/index.js';
import { type Deployment, GraphqlInputs } from './graphql-inputs.js';
import { answerBids } from './bids.js';
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
  readonly registryId: string | null;
  readonly volumeId: string | null;
  readonly createdAt: number;
  readonly input: Readonly<Record<string, unknown>>;
  status: 'PROVISIONING' | 'STARTING' | 'RUNNING' | 'EXITED' | 'ERROR' | 'TERMINATED';
  /** Where port 10022 of the container is. */
  door: { readonly host: string; readonly port: number } | null;
}

export interface RunpodFakeOptions {
  readonly apiKey: string;
  /** Starts the container; rejects: the pod ends in error. */
  readonly boot: (pod: FakePod) => Promise<{ readonly host: string; readonly port: number }>;
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
    const template = path.replace(/^(\/v2\/(?:pods|registries|network-volumes))\/[^/]+$/, '$1/{id}');
    if (method === 'POST') this.note(this.check.request(method, template, body));
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
        return { status: 200, body: { pods: this.listed().map(podView) } };
      case 'GET /v2/pods/{id}': {
        const pod = this.pods.get(id);
        return pod === undefined || pod.status === 'TERMINATED'
          ? problem(404, 'Not Found', 'pod not found')
          : { status: 200, body: podView(pod) };
      }
      case 'DELETE /v2/pods/{id}':
        return this.terminate(id);
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

  private listed(): FakePod[] {
    return this.living.filter(({ createdAt }) => Date.now() >= createdAt + this.listLagMs);
  }

  /** Stock may not be asked for without saying for what. */
  private gpus(query: URLSearchParams): Answer {
    if (query.get('include') === 'AVAILABILITY' && query.get('product') === null)
      return problem(400, 'Bad Request', 'include=AVAILABILITY requires product');
    const count = Number(query.get('count') ?? '1');
    const isSecure = query.get('cloud') !== 'COMMUNITY';
    const gpus = GPUS.map((gpu) => {
      const isThere = count <= (isSecure ? gpu.maxCount.secure : gpu.maxCount.community) && !this.exhausted.has(gpu.id);
      return {
        ...gpu,
        availability: isThere ? 'HIGH' : 'NONE',
        ...(isThere && isSecure ? { dataCenters: this.places(gpu.id) } : {}),
      };
    });
    return { status: 200, body: { gpus } };
  }

  /** In the first data center there is much, in the second none. */
  private places(type: string): object[] {
    const has = [...this.exhausted].some((name) => name.startsWith(type)) ? 'NONE' : 'LOW';
    return DATA_CENTERS.map((id, index) => ({ id, name: id, availability: index === 0 ? has : 'NONE' }));
  }

  private graphql(body: unknown): Answer | null {
    const { query = '' } = body as { readonly query?: string };
    if (query.startsWith('query')) return this.bids(query);
    const deployment = this.inputs.read(body);
    if (typeof deployment === 'string') {
      this.violations.push(deployment);
      return { status: 400, body: { errors: [{ message: deployment }] } };
    }
    const refusal = this.refuse(deployment);
    if (refusal !== null) return graphqlError(refusal, deployment.mutation);
    const pod = this.deploy(deployment);
    if (this.lostDeployments === 0) return { status: 200, body: { data: { [deployment.mutation]: { id: pod.id } } } };
    this.lostDeployments -= 1;
    return null;
  }

  private bids(query: string): Answer {
    const data = answerBids(query);
    if (typeof data !== 'string') return { status: 200, body: { data } };
    this.violations.push(data);
    return { status: 400, body: { errors: [{ message: data }] } };
  }

  private refuse({ input }: Deployment): string | null {
    const type = String(input['gpuTypeId'] ?? input['instanceId']);
    if (this.exhausted.has(type)) return NO_ROOM;
    const isKnown = GPUS.some(({ id }) => id === type) || CPUS.some(({ id }) => type.startsWith(`${id}-`));
    if (!isKnown) return 'GPU type not found';
    const auth = input['containerRegistryAuthId'];
    if (auth !== undefined && !this.registries.some(({ id }) => id === auth)) return 'Registry auth not found';
    return null;
  }

  private deploy({ input }: Deployment): FakePod {
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
      status: 'PROVISIONING',
      door: null,
    };
    this.pods.set(pod.id, pod);
    this.options.boot(pod).then(
      (door) => {
        if (pod.status === 'PROVISIONING') Object.assign(pod, { status: 'RUNNING', door });
      },
      () => {
        if (pod.status === 'PROVISIONING') pod.status = 'ERROR';
      },
    );
    return pod;
  }

  private terminate(id: string): Answer {
    const pod = this.pods.get(id);
    if (pod === undefined || pod.status === 'TERMINATED') return problem(404, 'Not Found', 'pod not found');
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
