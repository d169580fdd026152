import { GoogleRefusal, notFound } from './google-refusal.js';

type Json = Readonly<Record<string, unknown>>;

export interface FakeGceInstance {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly machineType: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly userData: string | null;
  /** As it was asked for. */
  readonly body: Json;
  readonly createdAt: string;
  readonly disks: { deviceName: string; source: string; isBoot: boolean }[];
  status: string;
  statusMessage: string | null;
  ip: string | null;
}

export interface FakeDisk {
  readonly name: string;
  readonly zone: string;
  readonly sizeGb: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sourceImage: string | null;
}

interface FakeOperation {
  readonly name: string;
  readonly scope: Json;
  readonly target: string;
  /** So many more looks find it unfinished. */
  looks: number;
  readonly error: { readonly code: string; readonly message: string; readonly status: number } | null;
}

export interface GceOptions {
  readonly project: string;
  /** Gives the public address of the machine that was started; rejects: it stops by itself. */
  readonly boot: (instance: FakeGceInstance) => Promise<string>;
  readonly halt: (instance: FakeGceInstance) => Promise<void>;
}

export interface GceCall {
  readonly method: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  /** Checked with the document. */
  readonly body: Json;
}

const REGIONS: Readonly<Record<string, readonly string[]>> = {
  'us-central1': ['us-central1-a', 'us-central1-b', 'us-central1-c', 'us-central1-f'],
  'europe-west4': ['europe-west4-a', 'europe-west4-b', 'europe-west4-c'],
};
const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL = { key: /^[a-z][_\-a-z0-9]{0,62}$/, value: /^[_\-a-z0-9]{0,63}$/ };
const HOST = 'https://www.googleapis.com/compute/v1';

/** Compute Engine of one project, with two regions. */
export class Gce {
  readonly instances = new Map<string, FakeGceInstance>();
  readonly disks = new Map<string, FakeDisk>();
  readonly policies = new Map<string, { readonly name: string; readonly region: string }>();
  readonly firewalls = new Map<string, Json>();
  readonly reservations: Json[] = [];
  readonly quotas: { metric: string; limit: number; usage: number }[] = [];
  /** Zones, and types as `type` or `zone/type`, without capacity. */
  readonly dry = new Set<string>();
  /** As `zone/type`: not sold there. */
  readonly unsold = new Set<string>();
  /** By name of the network. */
  readonly subnets = new Map<string, readonly string[]>([['default', Object.keys(REGIONS)]]);
  /** Regions whose router of the default network has a NAT. */
  readonly nats = new Set<string>();
  /** So many looks find a new operation unfinished. */
  operationLooks = 1;
  /** Of lists. */
  pageSize = 2;
  private readonly operations = new Map<string, FakeOperation>();
  private readonly byRequestId = new Map<string, FakeOperation>();
  private nextId = 1;

  constructor(private readonly options: GceOptions) {}

  /** @throws {GoogleRefusal} */
  answer({ method, parameters, query, body }: GceCall): unknown {
    const at = (name: string): string => parameters.get(name) ?? '';
    if (at('project') !== this.options.project && method !== 'subnetworks.listUsable')
      throw notFound(`projects/${at('project')}`);
    if (at('zone') !== '' && this.regionOf(at('zone')) === undefined)
      throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'zone': '${at('zone')}'. Unknown zone.`);
    const zone = at('zone');
    switch (method) {
      case 'projects.get':
        return { kind: 'compute#project', id: '1234567890', name: this.options.project };
      case 'regions.list':
        return { kind: 'compute#regionList', items: this.regions() };
      case 'subnetworks.listUsable':
        return { kind: 'compute#usableSubnetworksAggregatedList', ...this.page(this.usable(at('project')), query) };
      case 'routers.list':
        return { kind: 'compute#routerList', items: this.routers(at('region')) };
      case 'firewalls.insert':
        return this.insertFirewall(body);
      case 'instances.insert':
        return this.once(query, () => this.insertInstance(zone, body));
      case 'instances.get':
        return this.view(this.instance(zone, at('instance')));
      case 'instances.delete':
        return this.deleteInstance(this.instance(zone, at('instance')));
      case 'instances.aggregatedList':
        return this.aggregated('instances', [...this.instances.values()], query, (each) => this.view(each));
      case 'instances.attachDisk':
        return this.attach(this.instance(zone, at('instance')), body);
      case 'instances.detachDisk':
        return this.detach(this.instance(zone, at('instance')), query.get('deviceName') ?? '');
      case 'disks.insert':
        return this.once(query, () => this.insertDisk(zone, body));
      case 'disks.get':
        return this.viewDisk(this.disk(zone, at('disk')));
      case 'disks.delete':
        return this.deleteDisk(this.disk(zone, at('disk')));
      case 'disks.aggregatedList':
        return this.aggregated('disks', [...this.disks.values()], query, (each) => this.viewDisk(each));
      case 'resourcePolicies.insert':
        return this.insertPolicy(at('region'), body);
      case 'resourcePolicies.delete':
        return this.deletePolicy(at('region'), at('resourcePolicy'));
      case 'reservations.aggregatedList':
        return this.aggregated('reservations', this.reservations as (Json & Zoned)[], query, (each) => each);
      case 'zoneOperations.get':
      case 'regionOperations.get':
      case 'globalOperations.get':
        return this.look(at('operation'));
      default:
        throw new Error(`the fake does not know ${method}`);
    }
  }

  private insertInstance(zone: string, body: Json): FakeOperation {
    const name = named(body.name);
    const path = `projects/${this.options.project}/zones/${zone}/instances/${name}`;
    const machineType = last(String(body.machineType));
    if (this.instances.has(`${zone}/${name}`))
      throw new GoogleRefusal(409, 'alreadyExists', `The resource '${path}' already exists`);
    if (this.unsold.has(`${zone}/${machineType}`))
      throw notFound(`projects/${this.options.project}/zones/${zone}/machineTypes/${machineType}`);
    const labels = (body.labels ?? {}) as Record<string, string>; // checked with the document
    checkLabels(labels);
    this.checkNetworks(zone, body);
    if ([zone, machineType, `${zone}/${machineType}`].some((each) => this.dry.has(each))) {
      const message = `The zone '${path.split('/instances')[0]}' does not have enough resources available to fulfill the request. Try a different zone, or try again later.`;
      return this.begin({ zone }, path, { code: 'ZONE_RESOURCE_POOL_EXHAUSTED', message, status: 503 });
    }
    const boot = (body.disks as Json[])[0]?.initializeParams as Json | undefined; // the document leaves both out, a machine cannot
    if (boot === undefined) throw new GoogleRefusal(400, 'invalid', "Invalid value for field 'resource.disks'.");
    this.keepDisk(zone, { ...boot, name, sizeGb: boot.diskSizeGb, type: boot.diskType });
    const items = ((body.metadata as Json | undefined)?.items ?? []) as { key: string; value: string }[]; // checked
    const instance: FakeGceInstance = {
      id: String(this.nextId++),
      name,
      zone,
      machineType,
      labels,
      userData: items.find(({ key }) => key === 'user-data')?.value ?? null,
      body,
      createdAt: new Date().toISOString(),
      disks: [{ deviceName: 'persistent-disk-0', source: this.diskUrl(zone, name), isBoot: true }],
      status: 'PROVISIONING',
      statusMessage: null,
      ip: null,
    };
    this.instances.set(`${zone}/${name}`, instance);
    this.options.boot(instance).then(
      (ip) => {
        if (instance.status === 'PROVISIONING') Object.assign(instance, { status: 'RUNNING', ip });
      },
      () => (instance.status = 'TERMINATED'),
    );
    return this.begin({ zone }, path);
  }

  private checkNetworks(zone: string, { networkInterfaces }: Json): void {
    const region = this.regionOf(zone) ?? '';
    for (const card of (networkInterfaces ?? []) as { network?: string; subnetwork?: string }[]) {
      const network = last(card.network ?? '');
      const regions = this.subnets.get(network);
      if (regions === undefined) throw notFound(card.network ?? '');
      if (card.subnetwork !== undefined && !card.subnetwork.includes(`/regions/${region}/`))
        throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'subnetwork': '${card.subnetwork}'.`);
      if (!regions.includes(region))
        throw new GoogleRefusal(400, 'invalid', `The network ${network} has no subnetwork in ${region}`);
    }
  }

  private deleteInstance(instance: FakeGceInstance): unknown {
    const key = `${instance.zone}/${instance.name}`;
    if (instance.status !== 'STOPPING') {
      instance.status = 'STOPPING';
      void this.options.halt(instance).finally(() => {
        this.instances.delete(key);
        this.disks.delete(key);
      });
    }
    return this.viewOperation(this.begin({ zone: instance.zone }, `zones/${key}`));
  }

  private attach(instance: FakeGceInstance, { source, deviceName }: Json): unknown {
    const disk = this.disk(instance.zone, last(String(source)));
    const path = this.diskUrl(disk.zone, disk.name);
    if (this.userOf(disk) !== undefined)
      throw new GoogleRefusal(
        400,
        'resourceInUseByAnotherResource',
        `The disk resource '${path}' is already being used`,
      );
    instance.disks.push({ deviceName: String(deviceName), source: path, isBoot: false });
    return this.viewOperation(this.begin({ zone: instance.zone }, path));
  }

  private detach(instance: FakeGceInstance, deviceName: string): unknown {
    const index = instance.disks.findIndex((disk) => disk.deviceName === deviceName);
    if (index === -1)
      throw new GoogleRefusal(400, 'invalid', `No attached disk found with device name '${deviceName}'`);
    instance.disks.splice(index, 1);
    return this.viewOperation(this.begin({ zone: instance.zone }, deviceName));
  }

  private insertDisk(zone: string, body: Json): FakeOperation {
    const name = named(body.name);
    if (this.disks.has(`${zone}/${name}`))
      throw new GoogleRefusal(409, 'alreadyExists', `The resource '${this.diskUrl(zone, name)}' already exists`);
    this.keepDisk(zone, body);
    return this.begin({ zone }, this.diskUrl(zone, name));
  }

  private keepDisk(zone: string, { name, sizeGb, type, labels, sourceImage }: Json): void {
    checkLabels((labels ?? {}) as Record<string, string>); // checked with the document
    const disk = { name: String(name), zone, sizeGb: String(sizeGb), type: last(String(type)) };
    this.disks.set(`${zone}/${disk.name}`, {
      ...disk,
      labels: (labels ?? {}) as Record<string, string>,
      sourceImage: typeof sourceImage === 'string' ? sourceImage : null,
    });
  }

  private deleteDisk(disk: FakeDisk): unknown {
    const user = this.userOf(disk);
    if (user !== undefined) {
      const message = `The disk resource '${this.diskUrl(disk.zone, disk.name)}' is already being used by '${user.name}'`;
      throw new GoogleRefusal(400, 'resourceInUseByAnotherResource', message);
    }
    this.disks.delete(`${disk.zone}/${disk.name}`);
    return this.viewOperation(this.begin({ zone: disk.zone }, disk.name));
  }

  private insertPolicy(region: string, body: Json): unknown {
    const name = named(body.name);
    const path = `projects/${this.options.project}/regions/${region}/resourcePolicies/${name}`;
    if (this.policies.has(path)) throw new GoogleRefusal(409, 'alreadyExists', `The resource '${path}' already exists`);
    this.policies.set(path, { name, region });
    return this.viewOperation(this.begin({ region }, path));
  }

  private deletePolicy(region: string, name: string): unknown {
    const path = `projects/${this.options.project}/regions/${region}/resourcePolicies/${name}`;
    if (!this.policies.has(path)) throw notFound(path);
    const users = [...this.instances.values()].filter(({ body }) =>
      ((body.resourcePolicies ?? []) as string[]).includes(path),
    );
    const [user] = users;
    if (user !== undefined) {
      const message = `The resource_policy resource '${path}' is already being used by '${user.name}'`;
      throw new GoogleRefusal(400, 'resourceInUseByAnotherResource', message);
    }
    this.policies.delete(path);
    return this.viewOperation(this.begin({ region }, path));
  }

  private insertFirewall(body: Json): unknown {
    const name = named(body.name);
    if (this.firewalls.has(name)) {
      const path = `projects/${this.options.project}/global/firewalls/${name}`;
      throw new GoogleRefusal(409, 'alreadyExists', `The resource '${path}' already exists`);
    }
    this.firewalls.set(name, body);
    return this.viewOperation(this.begin({}, name));
  }

  /** The same request again is answered with what it began. */
  private once(query: URLSearchParams, work: () => FakeOperation): unknown {
    const requestId = query.get('requestId');
    if (requestId === null) return this.viewOperation(work());
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(requestId))
      throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'requestId': '${requestId}'.`);
    const begun = this.byRequestId.get(requestId) ?? work();
    this.byRequestId.set(requestId, begun);
    return this.viewOperation(begun);
  }

  private begin(scope: Json, target: string, error: FakeOperation['error'] = null): FakeOperation {
    const id = this.nextId++;
    const operation = { name: `operation-${id}-fake`, scope, target, looks: this.operationLooks, error };
    this.operations.set(operation.name, operation);
    return operation;
  }

  private look(name: string): unknown {
    const operation = this.operations.get(name);
    if (operation === undefined) throw notFound(`operations/${name}`);
    operation.looks -= 1;
    return this.viewOperation(operation);
  }

  private viewOperation({ name, scope, target, looks, error }: FakeOperation): unknown {
    const isDone = looks <= 0;
    return {
      kind: 'compute#operation',
      name,
      status: isDone ? 'DONE' : 'RUNNING',
      progress: isDone ? 100 : 0,
      targetLink: target,
      ...Object.fromEntries(Object.entries(scope).map(([key, value]) => [key, `${HOST}/${key}s/${String(value)}`])),
      ...(isDone && error !== null
        ? {
            error: { errors: [{ code: error.code, message: error.message }] },
            httpErrorStatusCode: error.status,
            httpErrorMessage: 'SERVICE UNAVAILABLE',
          }
        : {}),
    };
  }

  private view(instance: FakeGceInstance): unknown {
    const { body, zone, ip, statusMessage } = instance;
    const cards = (body.networkInterfaces ?? []) as Json[]; // checked
    return {
      kind: 'compute#instance',
      id: instance.id,
      name: instance.name,
      zone: this.zoneUrl(zone),
      machineType: `${this.zoneUrl(zone)}/machineTypes/${instance.machineType}`,
      creationTimestamp: instance.createdAt,
      status: instance.status,
      ...(statusMessage === null ? {} : { statusMessage }),
      labels: instance.labels,
      scheduling: body.scheduling ?? {},
      disks: instance.disks.map(({ deviceName, source, isBoot }, index) => ({
        kind: 'compute#attachedDisk',
        index,
        deviceName,
        source: `${HOST}/${source}`,
        boot: isBoot,
      })),
      networkInterfaces: cards.map((card, index) => ({
        name: `nic${index}`,
        network: card.network,
        networkIP: `10.128.0.${(Number(instance.id) % 250) + 2}`,
        ...(card.accessConfigs === undefined
          ? {}
          : {
              accessConfigs: [{ type: 'ONE_TO_ONE_NAT', name: 'External NAT', ...(ip === null ? {} : { natIP: ip }) }],
            }),
      })),
    };
  }

  private viewDisk(disk: FakeDisk): unknown {
    const { name, zone, sizeGb, type, labels, sourceImage } = disk;
    const user = this.userOf(disk);
    return {
      kind: 'compute#disk',
      name,
      zone: this.zoneUrl(zone),
      sizeGb,
      type: `${this.zoneUrl(zone)}/diskTypes/${type}`,
      status: 'READY',
      labels,
      ...(sourceImage === null ? {} : { sourceImage }),
      ...(user === undefined ? {} : { users: [`${this.zoneUrl(zone)}/instances/${user.name}`] }),
    };
  }

  /** Items stand under their zones; an empty zone says so. */
  private aggregated<T extends Zoned>(
    kind: string,
    all: readonly T[],
    query: URLSearchParams,
    view: (item: T) => unknown,
  ) {
    const matches = filterOf(query.get('filter') ?? '');
    const { items, ...rest } = this.page(all.filter(matches), query);
    const zones = Object.values(REGIONS).flat();
    const scopes = zones.map((zone) => {
      const here = items.filter((item) => last(item.zone) === zone).map(view);
      const warning = {
        code: 'NO_RESULTS_ON_PAGE',
        message: `There are no results for scope 'zones/${zone}' on this page.`,
      };
      return [`zones/${zone}`, here.length > 0 ? { [kind]: here } : { warning }] as const;
    });
    return { items: Object.fromEntries(scopes), ...rest };
  }

  private page<T>(all: readonly T[], query: URLSearchParams): { items: readonly T[]; nextPageToken?: string } {
    const from = Number(query.get('pageToken') ?? 0);
    const items = all.slice(from, from + this.pageSize);
    const next = from + this.pageSize;
    return { items, ...(next < all.length ? { nextPageToken: String(next) } : {}) };
  }

  private regions(): unknown[] {
    return Object.entries(REGIONS).map(([name, zones]) => ({
      kind: 'compute#region',
      name,
      status: 'UP',
      zones: zones.map((zone) => this.zoneUrl(zone)),
      quotas: this.quotas,
    }));
  }

  private usable(project: string): unknown[] {
    return [...this.subnets].flatMap(([network, regions]) =>
      regions.map((region) => ({
        network: `${HOST}/projects/${project}/global/networks/${network}`,
        subnetwork: `${HOST}/projects/${project}/regions/${region}/subnetworks/${network}`,
        purpose: 'PRIVATE',
        ipCidrRange: '10.128.0.0/20',
      })),
    );
  }

  private routers(region: string): unknown[] {
    const network = `${HOST}/projects/${this.options.project}/global/networks/default`;
    return this.nats.has(region) ? [{ name: 'router', network, nats: [{ name: 'nat' }] }] : [];
  }

  private instance(zone: string, name: string): FakeGceInstance {
    const found = this.instances.get(`${zone}/${name}`);
    if (found !== undefined) return found;
    throw notFound(`projects/${this.options.project}/zones/${zone}/instances/${name}`);
  }

  private disk(zone: string, name: string): FakeDisk {
    const found = this.disks.get(`${zone}/${name}`);
    if (found !== undefined) return found;
    throw notFound(this.diskUrl(zone, name));
  }

  private userOf({ zone, name }: FakeDisk): FakeGceInstance | undefined {
    const url = this.diskUrl(zone, name);
    return [...this.instances.values()].find(({ disks }) => disks.some(({ source }) => source === url));
  }

  private regionOf(zone: string): string | undefined {
    return Object.keys(REGIONS).find((region) => REGIONS[region]?.includes(zone));
  }

  private zoneUrl(zone: string): string {
    return `${HOST}/projects/${this.options.project}/zones/${zone}`;
  }

  private diskUrl(zone: string, name: string): string {
    return `projects/${this.options.project}/zones/${zone}/disks/${name}`;
  }
}

interface Zoned {
  readonly zone: string;
}

function named(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  const message = `Invalid value for field 'resource.name': '${String(name)}'. Must be a match of regex '${NAME.source}'`;
  throw new GoogleRefusal(400, 'invalid', message);
}

function checkLabels(labels: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL.key.test(key) || !LABEL.value.test(value))
      throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'resource.labels': '${key}=${value}'.`);
  }
}

/** Of Google's filters, `name = "…"` and `labels.key = "…"`, joined by AND, and equality of the rest. */
function filterOf(filter: string): (item: object) => boolean {
  const terms = filter === '' ? [] : filter.split(' AND ').map((term) => term.replace(/^\(|\)$/g, ''));
  const wanted = terms.map((term) => {
    const [, path, quoted, plain] = /^([\w.]+) = (?:"([^"]*)"|(\w+))$/.exec(term) ?? [];
    if (path === undefined) throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'filter': '${filter}'.`);
    return { path: path.split('.'), value: quoted ?? plain };
  });
  return (item) =>
    wanted.every(({ path, value }) => {
      // Members of the item by name.
      const found = path.reduce<unknown>((of, key) => (of as Json | undefined)?.[key], item);
      return String(found) === value;
    });
}

function last(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
