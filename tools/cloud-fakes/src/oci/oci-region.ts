import { type Json, OciRefusal, unknownOrForbidden } from './oci-refusal.js';
import { LIMITS, SHAPES } from './oci-shapes.js';

export interface FakeOciInstance {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly domain: string;
  readonly shape: string;
  /** As cloud-init reads it. */
  readonly userData: string;
  readonly tags: Readonly<Record<string, string>>;
  /** As it was asked for. */
  readonly request: Json;
  readonly createdAt: Date;
  state: 'PROVISIONING' | 'RUNNING' | 'STOPPED' | 'TERMINATING' | 'TERMINATED';
  ip: string | null;
}

export interface OciMachineHooks {
  /** Gives the address of the machine that was started; rejects: it ends by itself. */
  readonly boot: (instance: FakeOciInstance) => Promise<string>;
  readonly halt: (instance: FakeOciInstance) => Promise<void>;
}

export interface RegionQuestion {
  readonly key: string;
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Json;
}

type Part = Json & { readonly id: string; readonly lifecycleState: string };

/** Compute and networking in one region. */
export class OciRegion {
  readonly instances = new Map<string, FakeOciInstance>();
  /** Without a free host. */
  readonly dryShapes = new Set<string>();
  readonly dryDomains = new Set<string>();
  /** Those that the tenancy may not use. */
  readonly forbiddenShapes = new Set<string>();
  readonly limits = new Map<string, number>(LIMITS);
  readonly vcns: Part[] = [];
  readonly parts: Readonly<Record<string, Part[]>> = { internetGateways: [], subnets: [], networkSecurityGroups: [] };
  readonly routeRules = new Map<string, Json[]>();
  readonly securityRules = new Map<string, Json[]>();
  private nextId = 1;

  constructor(
    readonly name: string,
    private readonly hooks: OciMachineHooks,
  ) {}

  get domains(): string[] {
    return [1, 2, 3].map((number) => `qIZq:${this.name.toUpperCase()}-AD-${number}`);
  }

  /** Lists are given whole. @throws {OciRefusal} */
  answer({ key, parts: [id = ''], query, body }: RegionQuestion): unknown {
    const kind = /\/(vcns|internetGateways|subnets|networkSecurityGroups)(\/\{\w+\})?$/.exec(key)?.[1];
    switch (key) {
      case 'POST /20160918/instances':
        return this.view(this.launch(body));
      case 'GET /20160918/instances':
        return this.listed(query).map((each) => this.view(each));
      case 'GET /20160918/instances/{instanceId}':
        return this.view(this.instance(id));
      case 'DELETE /20160918/instances/{instanceId}':
        return this.terminate(this.instance(id));
      case 'GET /20160918/vnicAttachments':
        return this.attachments(query.get('instanceId') ?? '');
      case 'GET /20160918/vnics/{vnicId}':
        return this.vnic(id);
      case 'GET /20160918/shapes':
        return this.shapes();
      case 'POST /20160918/computeCapacityReports':
        return this.capacity(body);
      case 'GET /20160918/images':
        return this.images(query);
      case 'GET /20160918/routeTables/{rtId}':
        return this.routeTable(id);
      case 'PUT /20160918/routeTables/{rtId}':
        this.routeRules.set(id, body['routeRules'] as Json[]);
        return this.routeTable(id);
      case 'GET /20160918/networkSecurityGroups/{networkSecurityGroupId}/securityRules':
        return this.securityRules.get(id) ?? [];
      case 'POST /20160918/networkSecurityGroups/{networkSecurityGroupId}/actions/addSecurityRules':
        return this.addRules(id, body['securityRules'] as Json[]);
      case 'GET /20190729/limitValues':
        return this.limitValues();
      default:
        if (kind !== undefined) return this.networkAnswer(key, kind, id, query, body);
        throw new OciRefusal(404, 'NotFound', `the fake has no ${key}`);
    }
  }

  /** The cloud takes it back. */
  end(instance: FakeOciInstance): void {
    instance.state = 'TERMINATING';
    void this.hooks.halt(instance).finally(() => (instance.state = 'TERMINATED'));
  }

  /** It was a part of a network here, and is no more. */
  hasLost(id: string): boolean {
    const isPart = /^ocid1\.(vcn|internetgateway|subnet|networksecuritygroup)\./.test(id);
    return isPart && ![this.vcns, ...Object.values(this.parts)].flat().some((each) => each.id === id);
  }

  view(instance: FakeOciInstance): object {
    const { id, name, region, domain, shape, tags, request, createdAt, state } = instance;
    return {
      id,
      displayName: name,
      region,
      availabilityDomain: domain,
      shape,
      compartmentId: request['compartmentId'],
      lifecycleState: state,
      freeformTags: tags,
      timeCreated: createdAt.toISOString(),
      sourceDetails: request['sourceDetails'],
    };
  }

  private launch(body: Json): FakeOciInstance {
    const domain = String(body['availabilityDomain']);
    const shape = String(body['shape']);
    if (!this.domains.includes(domain) || !SHAPES.some((each) => each.shape === shape))
      throw new OciRefusal(400, 'InvalidParameter', `No ${shape} in ${domain}`);
    if (shape.endsWith('.Flex') && body['shapeConfig'] === undefined)
      throw new OciRefusal(400, 'InvalidParameter', 'The shape needs a configuration');
    const { subnetId, nsgIds } = body['createVnicDetails'] as { readonly subnetId: string; readonly nsgIds: string[] };
    if (!this.has('subnets', subnetId) || !nsgIds.every((id) => this.has('networkSecurityGroups', id)))
      throw unknownOrForbidden('network');
    const metadata = body['metadata'] as Readonly<Record<string, string>>;
    if (JSON.stringify(metadata).length > 32_000)
      throw new OciRefusal(400, 'InvalidParameter', 'Metadata has more than 32000 bytes');
    const [quota] = SHAPES.find((each) => each.shape === shape)?.quotaNames ?? [];
    if (quota !== undefined && (this.limits.get(quota) ?? 0) === 0)
      throw new OciRefusal(400, 'LimitExceeded', `The following service limits were exceeded: ${quota}.`);
    if (this.dryShapes.has(shape) || this.dryDomains.has(domain))
      throw new OciRefusal(500, 'InternalError', 'Out of host capacity.');
    const instance: FakeOciInstance = {
      id: this.ocid('instance'),
      name: String(body['displayName']),
      region: this.name,
      domain,
      shape,
      userData: Buffer.from(String(metadata['user_data']), 'base64').toString(),
      tags: body['freeformTags'] as Readonly<Record<string, string>>,
      request: body,
      createdAt: new Date(),
      state: 'PROVISIONING',
      ip: null,
    };
    this.instances.set(instance.id, instance);
    this.hooks.boot(instance).then(
      (ip) => {
        if (instance.state === 'PROVISIONING') Object.assign(instance, { state: 'RUNNING', ip });
      },
      () => this.end(instance),
    );
    return instance;
  }

  private listed(query: URLSearchParams): FakeOciInstance[] {
    const name = query.get('displayName');
    return [...this.instances.values()].filter(
      (each) => each.request['compartmentId'] === query.get('compartmentId') && (name === null || each.name === name),
    );
  }

  private instance(id: string): FakeOciInstance {
    const found = this.instances.get(id);
    if (found === undefined) throw unknownOrForbidden(id);
    return found;
  }

  private terminate(instance: FakeOciInstance): null {
    if (instance.state !== 'TERMINATING' && instance.state !== 'TERMINATED') this.end(instance);
    return null;
  }

  private attachments(instanceId: string): object[] {
    const { domain, request, state, createdAt } = this.instance(instanceId);
    const isThere = state === 'RUNNING';
    return [
      {
        id: `${instanceId}.attachment`,
        instanceId,
        availabilityDomain: domain,
        compartmentId: request['compartmentId'],
        lifecycleState: isThere ? 'ATTACHED' : 'ATTACHING',
        timeCreated: createdAt.toISOString(),
        ...(isThere ? { vnicId: `${instanceId}.vnic` } : {}),
      },
    ];
  }

  private vnic(id: string): object {
    const { domain, request, ip, createdAt } = this.instance(id.replace(/\.vnic$/, ''));
    return {
      id,
      availabilityDomain: domain,
      compartmentId: request['compartmentId'],
      lifecycleState: 'AVAILABLE',
      timeCreated: createdAt.toISOString(),
      publicIp: ip,
      privateIp: ip,
    };
  }

  private shapes(): object[] {
    return SHAPES.filter(({ shape }) => !this.forbiddenShapes.has(shape)).map((each) => ({ ...each }));
  }

  private capacity({ compartmentId, availabilityDomain, shapeAvailabilities }: Json): object {
    const asked = shapeAvailabilities as { readonly instanceShape: string }[];
    if (asked.length > 10) throw new OciRefusal(400, 'InvalidParameter', 'At most ten shapes');
    const isDry = this.dryDomains.has(String(availabilityDomain));
    return {
      compartmentId,
      availabilityDomain,
      timeCreated: new Date().toISOString(),
      shapeAvailabilities: asked.map(({ instanceShape }) => ({
        instanceShape,
        availabilityStatus: isDry || this.dryShapes.has(instanceShape) ? 'OUT_OF_HOST_CAPACITY' : 'AVAILABLE',
      })),
    };
  }

  private images(query: URLSearchParams): object[] {
    const system = query.get('operatingSystem') ?? '';
    const version = query.get('operatingSystemVersion') ?? '';
    return ['2026.06.30-0', '2026.01.15-0'].map((date) => ({
      id: `ocid1.image.oc1.${this.name}.${date}`,
      displayName: `${system.replaceAll(' ', '-')}-${version}-${date}`,
      operatingSystem: system,
      operatingSystemVersion: version,
      compartmentId: query.get('compartmentId'),
      createImageAllowed: true,
      lifecycleState: 'AVAILABLE',
      timeCreated: new Date(date.slice(0, 10).replaceAll('.', '-')).toISOString(),
    }));
  }

  private networkAnswer(key: string, kind: string, id: string, query: URLSearchParams, body: Json): unknown {
    const known = kind === 'vcns' ? this.vcns : (this.parts[kind] ?? []);
    if (key.startsWith('POST')) return this.makePart(kind, known, body);
    if (key.endsWith('}')) {
      const found = known.find((each) => each.id === id);
      if (found === undefined) throw unknownOrForbidden(id);
      return found;
    }
    return known.filter((each) =>
      ['compartmentId', 'vcnId', 'displayName'].every(
        (name) => query.get(name) === null || each[name] === query.get(name),
      ),
    );
  }

  private makePart(kind: string, known: Part[], body: Json): Part {
    const id = this.ocid(kind.replace(/s$/, '').toLowerCase());
    const part: Part = {
      ...body,
      id,
      lifecycleState: 'AVAILABLE',
      timeCreated: new Date().toISOString(),
      ...(kind === 'vcns' ? { cidrBlock: '10.0.0.0/16', defaultRouteTableId: `${id}.routes` } : {}),
      ...(kind === 'subnets' ? { routeTableId: `${id}.routes`, virtualRouterIp: '10.0.0.1', virtualRouterMac: '00:00:17:00:00:01' } : {}), // prettier-ignore
    };
    known.push(part);
    return part;
  }

  private routeTable(id: string): object {
    const vcn = this.vcns.find((each) => each['defaultRouteTableId'] === id);
    if (vcn === undefined) throw unknownOrForbidden(id);
    return {
      id,
      vcnId: vcn.id,
      compartmentId: vcn['compartmentId'],
      lifecycleState: 'AVAILABLE',
      routeRules: this.routeRules.get(id) ?? [],
    };
  }

  private addRules(id: string, rules: readonly Json[]): object {
    const made = rules.map((rule) => ({ ...rule, id: this.ocid('rule') }));
    this.securityRules.set(id, [...(this.securityRules.get(id) ?? []), ...made]);
    return { securityRules: made };
  }

  private limitValues(): object[] {
    return [...this.limits].flatMap(([name, value]) =>
      this.domains.map((availabilityDomain) => ({ name, scopeType: 'AD', availabilityDomain, value })),
    );
  }

  private has(kind: string, id: string): boolean {
    return (this.parts[kind] ?? []).some((each) => each.id === id);
  }

  private ocid(kind: string): string {
    return `ocid1.${kind}.oc1.${this.name}.${String(this.nextId++).padStart(6, '0')}`;
  }
}
