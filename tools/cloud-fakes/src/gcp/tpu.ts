import { GoogleRefusal } from './google-refusal.js';
import type { GceCall, Json } from './gce-types.js';

export interface FakeNode {
  /** Its whole name. */
  readonly name: string;
  readonly id: string;
  readonly zone: string;
  /** As it was asked for. */
  readonly body: Json;
  dataDisks: unknown[];
  /** A slice is of several. */
  readonly hosts: number;
  /** So many of them have no address yet. */
  unaddressed: number;
  state: string;
  /** Of each host, in the order of their numbers. */
  ips: readonly string[];
}

interface FakeTpuOperation {
  readonly name: string;
  looks: number;
  readonly error: { readonly code: number; readonly message: string } | null;
}

export interface TpuOptions {
  readonly project: string;
  /** Each host, from 0 on. */
  readonly bootNode: (node: FakeNode, host: number) => Promise<string>;
  readonly haltNode: (node: FakeNode) => Promise<void>;
}

const ACCELERATORS = /^(v2|v3|v4|v5p|v5litepod|v6e)-\d+$/;
/** Of a type's number, what is in one host of a slice of several. */
const SHARES: Readonly<Record<string, number>> = { v2: 8, v3: 8, v4: 8, v5p: 8, v5litepod: 4, v6e: 4 };
const RUNTIMES: Readonly<Record<string, string>> = { v6e: 'v2-alpha-tpuv6e', v5litepod: 'v2-alpha-tpuv5-lite' };

/** Cloud TPU of one project. */
export class Tpu {
  readonly nodes = new Map<string, FakeNode>();
  /** Zones, or `zone/type`, without capacity. */
  readonly dry = new Set<string>();
  /** The project has not turned the service on. */
  isOff = false;
  operationLooks = 1;
  private readonly operations = new Map<string, FakeTpuOperation>();
  private nextId = 1;

  constructor(private readonly options: TpuOptions) {}

  /** @throws {GoogleRefusal} */
  answer({ method, parameters, query, body }: GceCall): unknown {
    if (this.isOff) {
      const message = `Cloud TPU API has not been used in project ${this.options.project} before or it is disabled.`;
      throw new GoogleRefusal(403, 'PERMISSION_DENIED', message);
    }
    const zone = parameters.get('locationsId') ?? '';
    const name = `projects/${this.options.project}/locations/${zone}/nodes/${parameters.get('nodesId') ?? ''}`;
    switch (method.slice('projects.locations.'.length)) {
      case 'nodes.create':
        return this.create(zone, query.get('nodeId') ?? '', body);
      case 'nodes.get':
        return view(this.node(name));
      case 'nodes.list':
        return { nodes: [...this.nodes.values()].filter((node) => zone === '-' || node.zone === zone).map(view) };
      case 'nodes.patch':
        return this.patch(this.node(name), query.get('updateMask') ?? '', body);
      case 'nodes.delete':
        return this.delete(this.node(name));
      case 'operations.get':
        return this.look(
          `projects/${this.options.project}/locations/${zone}/operations/${parameters.get('operationsId')}`,
        );
      default:
        throw new Error(`the fake does not know ${method}`);
    }
  }

  private create(zone: string, id: string, body: Json): unknown {
    const name = `projects/${this.options.project}/locations/${zone}/nodes/${id}`;
    const type = String(body.acceleratorType);
    if (!ACCELERATORS.test(type))
      throw new GoogleRefusal(400, 'INVALID_ARGUMENT', `Accelerator type ${type} is not available in zone ${zone}.`);
    const wanted = RUNTIMES[type.split('-')[0] ?? ''] ?? 'tpu-ubuntu2204-base';
    if (body.runtimeVersion !== wanted)
      throw new GoogleRefusal(
        400,
        'INVALID_ARGUMENT',
        `runtime version ${String(body.runtimeVersion)} is not for ${type}`,
      );
    if (this.nodes.has(name)) throw new GoogleRefusal(409, 'ALREADY_EXISTS', `Resource '${name}' already exists`);
    if (this.dry.has(zone) || this.dry.has(`${zone}/${type}`)) {
      const message = `There is no more capacity in the zone "${zone}"; you can try in another zone where Cloud TPU Nodes are offered`;
      return this.begin(zone, { code: 8, message });
    }
    const dataDisks = (body.dataDisks ?? []) as unknown[]; // checked
    const node: FakeNode = {
      name,
      id,
      zone,
      body,
      dataDisks,
      hosts: hostsOf(type),
      unaddressed: 0,
      state: 'CREATING',
      ips: [],
    };
    this.nodes.set(name, node);
    Promise.all(Array.from({ length: node.hosts }, (_, host) => this.options.bootNode(node, host))).then(
      (ips) => {
        if (node.state === 'CREATING') Object.assign(node, { state: 'READY', ips });
      },
      () => (node.state = 'STOPPED'),
    );
    return this.begin(zone);
  }

  private patch(node: FakeNode, mask: string, { dataDisks }: Json): unknown {
    if (mask !== 'dataDisks') throw new GoogleRefusal(400, 'INVALID_ARGUMENT', `update_mask ${mask} is not supported`);
    node.dataDisks = (dataDisks ?? []) as unknown[]; // checked
    return this.begin(node.zone);
  }

  private delete(node: FakeNode): unknown {
    if (node.state === 'DELETING')
      throw new GoogleRefusal(400, 'FAILED_PRECONDITION', `Node ${node.name} is being deleted`);
    node.state = 'DELETING';
    void this.options.haltNode(node).finally(() => this.nodes.delete(node.name));
    return this.begin(node.zone);
  }

  private begin(zone: string, error: FakeTpuOperation['error'] = null): unknown {
    const name = `projects/${this.options.project}/locations/${zone}/operations/operation-${this.nextId++}`;
    const operation = { name, looks: this.operationLooks, error };
    this.operations.set(name, operation);
    return viewOperation(operation);
  }

  private look(name: string): unknown {
    const operation = this.operations.get(name);
    if (operation === undefined) throw new GoogleRefusal(404, 'NOT_FOUND', `Resource '${name}' was not found`);
    operation.looks -= 1;
    return viewOperation(operation);
  }

  private node(name: string): FakeNode {
    const found = this.nodes.get(name);
    if (found !== undefined) return found;
    throw new GoogleRefusal(404, 'NOT_FOUND', `Resource '${name}' was not found`);
  }
}

function viewOperation({ name, looks, error }: FakeTpuOperation): unknown {
  const isDone = looks <= 0;
  return { name, done: isDone, ...(isDone && error !== null ? { error } : {}) };
}

function view(node: FakeNode): unknown {
  const { name, id, body, state, dataDisks, hosts } = node;
  return {
    ...body,
    name,
    id: String(id.length),
    state,
    dataDisks,
    createTime: '2026-01-01T00:00:00Z',
    ...(state === 'READY'
      ? { networkEndpoints: Array.from({ length: hosts }, (_, index) => endpoint(node, index)) }
      : {}),
  };
}

function hostsOf(type: string): number {
  const [version = '', size] = type.split('-');
  return Number(size) <= 8 ? 1 : Number(size) / (SHARES[version] ?? 8);
}

function endpoint({ body, ips, hosts, unaddressed }: FakeNode, index: number): unknown {
  const { enableExternalIps } = (body.networkConfig ?? {}) as { enableExternalIps?: boolean }; // checked
  const isAddressed = enableExternalIps === true && ips[index] !== undefined && index < hosts - unaddressed;
  return {
    ipAddress: `10.164.0.${9 + index}`,
    port: 8470,
    ...(isAddressed ? { accessConfig: { externalIp: ips[index] } } : {}),
  };
}
