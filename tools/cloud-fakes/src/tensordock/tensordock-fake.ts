import type { IncomingMessage, ServerResponse } from 'node:http';
import { whatIsWrongWithCreate } from './create-rules.js';
import { HttpFake } from '../http/index.js';

export interface FakeMachine {
  readonly id: string;
  readonly name: string;
  readonly sshKey: string;
  readonly runcmd: readonly string[];
  readonly resources: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  status: 'creating' | 'running' | 'stoppeddisassociated' | 'deleting' | 'deleted' | 'error';
  ip: string | null;
}

export interface TensorDockFakeOptions {
  readonly token: string;
  readonly boot: (machine: FakeMachine) => Promise<string>;
  readonly halt: (machine: FakeMachine) => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** TensorDock's API v2 on loopback. It publishes no description for programs: the rules are those of its pages, `create-rules.ts`. */
export class TensorDockFake extends HttpFake {
  readonly machines = new Map<string, FakeMachine>();
  readonly violations: string[] = [];
  isExhausted = false;
  lostCreates = 0;
  listLagMs = 0;
  readonly refusals: Answer[] = [];
  private nextId = 1;

  private constructor(private readonly options: TensorDockFakeOptions) {
    super();
  }

  static start(options: TensorDockFakeOptions): Promise<TensorDockFake> {
    return new TensorDockFake(options).listen();
  }

  refuseNext(status: number, message: string, headers: Readonly<Record<string, string>> = {}): void {
    this.refusals.push({ status, body: { error: message }, headers });
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const path = new URL(request.url ?? '/', this.url).pathname.replace('/api/v2', '');
    const isKnown = request.headers.authorization === `Bearer ${this.options.token}`;
    const answer = isKnown
      ? (this.refusals.shift() ?? this.route(`${request.method}`, path, text))
      : { status: 401, body: { error: 'Unauthorized' } };
    if (answer === null) return void response.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  /** Null: the connection breaks. */
  private route(method: string, path: string, text: string): Answer | null {
    const id = /^\/instances\/([^/]+)$/.exec(path)?.[1];
    if (method === 'GET' && path === '/locations') return { status: 200, body: { data: { locations: LOCATIONS } } };
    if (method === 'GET' && path === '/instances') return this.list();
    if (method === 'POST' && path === '/instances') return this.create(JSON.parse(text));
    if (method === 'GET' && id !== undefined) return this.one(id);
    if (method === 'DELETE' && id !== undefined) return this.remove(id);
    this.violations.push(`${method} ${path}: no such operation`);
    return { status: 404, body: { error: 'Not found' } };
  }

  private list(): Answer {
    const now = Date.now();
    const listed = [...this.machines.values()].filter(
      ({ status, createdAt }) => status !== 'deleted' && now >= createdAt + this.listLagMs,
    );
    const instances = listed.map(({ id, name, status, ip }) => ({
      type: 'virtualmachine',
      id,
      attributes: { name, status, ipAddress: ip, portForwards: [] },
    }));
    return { status: 200, body: { data: { instances } } };
  }

  private one(id: string): Answer {
    const machine = this.machines.get(id);
    if (machine === undefined || machine.status === 'deleted')
      return { status: 404, body: { error: 'Instance not found' } };
    const { name, status, ip } = machine;
    return { status: 200, body: { type: 'virtualmachine', id, name, status, ipAddress: ip, portForwards: [] } };
  }

  private create(body: unknown): Answer | null {
    const wrong = whatIsWrongWithCreate(body);
    if (wrong !== null) {
      this.violations.push(wrong);
      return { status: 400, body: { error: wrong } };
    }
    if (this.isExhausted) return { status: 400, body: { error: 'Not enough resources available at this location' } };
    // Looked at above.
    const { attributes } = (body as { data: { attributes: Readonly<Record<string, unknown>> } }).data;
    const machine: FakeMachine = {
      id: `vm-${this.nextId++}`,
      name: String(attributes['name']),
      sshKey: String(attributes['ssh_key']),
      runcmd: (attributes['cloud_init'] as { runcmd: string[] }).runcmd,
      resources: attributes['resources'] as Readonly<Record<string, unknown>>,
      createdAt: Date.now(),
      status: 'creating',
      ip: null,
    };
    this.machines.set(machine.id, machine);
    this.options.boot(machine).then(
      (ip) => {
        if (machine.status === 'creating') Object.assign(machine, { status: 'running', ip });
      },
      () => (machine.status = 'error'),
    );
    if (this.lostCreates > 0) {
      this.lostCreates -= 1;
      return null;
    }
    const data = { type: 'virtualmachine', id: machine.id, name: machine.name, status: 'running' };
    return { status: 201, body: { data } };
  }

  private remove(id: string): Answer {
    const machine = this.machines.get(id);
    if (machine === undefined || machine.status === 'deleted')
      return { status: 404, body: { error: 'Instance not found' } };
    machine.status = 'deleting';
    void this.options.halt(machine).finally(() => (machine.status = 'deleted'));
    return { status: 200, body: { data: { type: 'success', attributes: { message: 'Instance deleted' } } } };
  }
}

const gpu = (v0Name: string, price: number, hasIp = true) => ({
  v0Name,
  displayName: v0Name,
  max_count: 2,
  price_per_hr: price,
  resources: { max_vcpus: 32, max_ram_gb: 128, max_storage_gb: 2000 },
  pricing: { per_vcpu_hr: 0.003, per_gb_ram_hr: 0.002, per_gb_storage_hr: 0.00005 },
  network_features: {
    dedicated_ip_available: hasIp,
    port_forwarding_available: true,
    network_storage_available: false,
  },
});

const LOCATIONS = [
  {
    id: 'loc-7d2e',
    city: 'Chicago',
    stateprovince: 'Illinois',
    country: 'United States',
    tier: 3,
    gpus: [gpu('geforcertx4090-pcie-24gb', 0.37), gpu('h100-sxm5-80gb', 2.25), gpu('geforcegtx1070-pcie-8gb', 0.05)],
  },
  {
    id: 'loc-91aa',
    city: 'Toronto',
    stateprovince: 'Ontario',
    country: 'Canada',
    tier: 2,
    gpus: [gpu('rtxa6000-pcie-48gb', 0.45), gpu('l40s-pcie-48gb', 0.9, false)],
  },
];
