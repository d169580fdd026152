import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenApiCheck } from '../spec/index.js';
import { LAMBDA_TYPES, REGIONS } from './lambda-types.js';
import { HttpFake } from '../http/index.js';

const API = '/api/v1';

export interface FakeInstance {
  readonly id: string;
  readonly name: string;
  readonly typeName: string;
  readonly region: string;
  readonly keyNames: readonly string[];
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly userData: string | null;
  readonly createdAt: number;
  status: 'booting' | 'active' | 'unhealthy' | 'terminating' | 'terminated' | 'preempted';
  ip: string | null;
}

export interface LambdaFakeOptions {
  readonly apiKey: string;
  /** Gives the address of the machine that was started; rejects: it never gets ready. */
  readonly boot: (instance: FakeInstance) => Promise<string>;
  readonly halt: (instance: FakeInstance) => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Refusal {
  readonly path: string;
  readonly answer: Answer;
}

interface RefusalOptions {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly message: string;
}

const error = (status: number, code: string, message: string): Answer => ({
  status,
  body: { error: { code, message } },
});

/** Lambda's Cloud API on loopback. Whatever its own description does not allow, asked or answered, is in `violations`. */
export class LambdaFake extends HttpFake {
  readonly instances = new Map<string, FakeInstance>();
  readonly keys: { id: string; name: string; public_key: string }[] = [];
  readonly violations: string[] = [];
  readonly requests: string[] = [];
  /** Types without capacity from now on. */
  readonly exhausted = new Set<string>();
  /** The next launches are carried out and their answers lost. */
  lostLaunches = 0;
  /** The next requests (to paths that end so) are answered so instead. */
  readonly refusals: Refusal[] = [];
  /** Instances appear in the list that late. */
  listLagMs = 0;
  private readonly check = new OpenApiCheck(new URL('../../specs/lambda-cloud-api-1.10.0.json', import.meta.url));
  private nextId = 1;

  private constructor(private readonly options: LambdaFakeOptions) {
    super();
  }

  static start(options: LambdaFakeOptions): Promise<LambdaFake> {
    return new LambdaFake(options).listen();
  }

  /** Refuses the next request, or the next one to the path, before it is looked at. */
  refuseNext(
    status: number,
    code: string,
    { path = '', headers = {}, message = `refused with ${status}` }: Partial<RefusalOptions> = {},
  ): void {
    this.refusals.push({ path, answer: { ...error(status, code, message), headers } });
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const method = request.method ?? 'GET';
    const path = new URL(request.url ?? '/', this.url).pathname;
    this.requests.push(`${method} ${path}`);
    const answer = await this.answer(method, path, request.headers.authorization, text);
    if (answer === null) {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  /** Null: the connection breaks. */
  private async answer(method: string, path: string, auth: string | undefined, text: string): Promise<Answer | null> {
    const refusal = this.refusals.findIndex(({ path: end }) => path.endsWith(end));
    if (refusal !== -1) return this.refusals.splice(refusal, 1)[0]?.answer ?? null;
    if (auth !== `Bearer ${this.options.apiKey}`)
      return error(401, 'global/invalid-api-key', 'API key was invalid, expired, or deleted.');
    const template = path.replace(/\/instances\/[^/]+$/, '/instances/{id}');
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    if (method === 'POST') this.note(this.check.request(method, template, body));
    const answer = await this.route(method, template, path, body);
    if (answer !== null) this.note(this.check.response(method, template, answer.status, answer.body));
    return answer;
  }

  private note(violation: string | null): void {
    if (violation !== null) this.violations.push(violation);
  }

  private async route(method: string, template: string, path: string, body: unknown): Promise<Answer | null> {
    switch (`${method} ${template.slice(API.length)}`) {
      case 'GET /regions':
        return { status: 200, body: { data: REGIONS } };
      case 'GET /instance-types':
        return { status: 200, body: { data: this.types() } };
      case 'GET /instances':
        return { status: 200, body: { data: this.listed().map((instance) => view(instance)) } };
      case 'GET /instances/{id}':
        return this.one(path.slice(path.lastIndexOf('/') + 1));
      case 'GET /ssh-keys':
        return { status: 200, body: { data: this.keys } };
      case 'POST /ssh-keys':
        return this.addKey(body as { name: string; public_key: string }); // checked above
      case 'POST /instance-operations/launch':
        return this.launch(body as LaunchBody); // checked above
      case 'POST /instance-operations/terminate':
        return this.terminate((body as { instance_ids: string[] }).instance_ids); // checked above
      default:
        this.violations.push(`${method} ${path}: no such operation`);
        return error(404, 'global/object-does-not-exist', 'Specified path does not exist.');
    }
  }

  private types(): Record<string, unknown> {
    return Object.fromEntries(
      LAMBDA_TYPES.map((type) => {
        const regions = this.exhausted.has(type.name) ? [] : REGIONS.slice(0, 1);
        return [type.name, { instance_type: type, regions_with_capacity_available: regions }];
      }),
    );
  }

  private listed(): FakeInstance[] {
    const now = Date.now();
    return [...this.instances.values()].filter(
      ({ status, createdAt }) => status !== 'terminated' && now >= createdAt + this.listLagMs,
    );
  }

  private one(id: string): Answer {
    const instance = this.instances.get(id);
    if (instance === undefined || instance.status === 'terminated')
      return error(404, 'global/object-does-not-exist', 'Specified instance does not exist.');
    return { status: 200, body: { data: view(instance) } };
  }

  private addKey({ name, public_key: publicKey }: { name: string; public_key: string }): Answer {
    if (this.keys.some((key) => key.name === name))
      return error(400, 'global/invalid-parameters', 'An SSH key of this name exists.');
    const key = { id: `key-${this.keys.length + 1}`, name, public_key: publicKey };
    this.keys.push(key);
    return { status: 200, body: { data: key } };
  }

  private launch(body: LaunchBody): Answer | null {
    const type = LAMBDA_TYPES.find(({ name }) => name === body.instance_type_name);
    if (type === undefined || !REGIONS.some(({ name }) => name === body.region_name))
      return error(400, 'global/invalid-parameters', 'Invalid region or instance type.');
    if (body.ssh_key_names.length !== 1 || !this.keys.some(({ name }) => name === body.ssh_key_names[0]))
      return error(400, 'global/invalid-parameters', 'Exactly one known SSH key must be specified.');
    if (this.exhausted.has(type.name)) {
      const code = 'instance-operations/launch/insufficient-capacity';
      return error(400, code, 'Not enough capacity to fulfill launch request.');
    }
    const id = `i${String(this.nextId++).padStart(31, '0')}`;
    const instance: FakeInstance = {
      id,
      name: body.name ?? '',
      typeName: type.name,
      region: body.region_name,
      keyNames: body.ssh_key_names,
      tags: body.tags ?? [],
      userData: body.user_data ?? null,
      createdAt: Date.now(),
      status: 'booting',
      ip: null,
    };
    this.instances.set(id, instance);
    this.options.boot(instance).then(
      (ip) => {
        if (instance.status === 'booting') Object.assign(instance, { status: 'active', ip });
      },
      () => (instance.status = 'unhealthy'),
    );
    if (this.lostLaunches > 0) {
      this.lostLaunches -= 1;
      return null;
    }
    return { status: 200, body: { data: { instance_ids: [id] } } };
  }

  private async terminate(ids: readonly string[]): Promise<Answer> {
    const found = ids.map((id) => this.instances.get(id));
    const known = found.flatMap((instance) => instance ?? []);
    if (known.length < ids.length)
      return error(404, 'global/object-does-not-exist', 'Specified instance does not exist.');
    for (const instance of known) {
      if (instance.status === 'terminated') continue;
      instance.status = 'terminating';
      void this.options.halt(instance).finally(() => (instance.status = 'terminated'));
    }
    return { status: 200, body: { data: { terminated_instances: known.map((instance) => view(instance)) } } };
  }
}

interface LaunchBody {
  readonly region_name: string;
  readonly instance_type_name: string;
  readonly ssh_key_names: readonly string[];
  readonly name?: string;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  readonly user_data?: string;
}

const AVAILABLE = { available: true };
const ACTIONS = {
  migrate: AVAILABLE,
  rebuild: AVAILABLE,
  restart: AVAILABLE,
  cold_reboot: AVAILABLE,
  terminate: AVAILABLE,
};

function view(instance: FakeInstance): object {
  return {
    id: instance.id,
    name: instance.name,
    ...(instance.ip === null ? {} : { ip: instance.ip, private_ip: instance.ip }),
    status: instance.status,
    ssh_key_names: instance.keyNames,
    file_system_names: [],
    region: REGIONS.find(({ name }) => name === instance.region),
    instance_type: LAMBDA_TYPES.find(({ name }) => name === instance.typeName),
    is_reserved: false,
    actions: ACTIONS,
    tags: instance.tags,
  };
}
