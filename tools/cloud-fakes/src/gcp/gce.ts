import { aggregated, page } from './gce-lists.js';
import { type FakeOperation, GceOperations, viewOperation } from './gce-operations.js';
import { checkLabels, named } from './gce-rules.js';
import {
  type FakeDisk,
  type FakeGceInstance,
  type GceCall,
  type GceOptions,
  HOST,
  type Json,
  last,
  REGIONS,
  type Zoned,
} from './gce-types.js';
import { viewDisk, viewInstance, zoneUrl } from './gce-views.js';
import { GoogleRefusal, notFound } from './google-refusal.js';

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
  readonly operations = new GceOperations();
  /** Of lists. */
  pageSize = 2;
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
        return {
          kind: 'compute#usableSubnetworksAggregatedList',
          ...page(this.usable(at('project')), query, this.pageSize),
        };
      case 'routers.list':
        return { kind: 'compute#routerList', items: this.routers(at('region')) };
      case 'firewalls.insert':
        return this.insertFirewall(body);
      case 'instances.insert':
        return this.operations.once(query, () => this.insertInstance(zone, body));
      case 'instances.get':
        return viewInstance(this.instance(zone, at('instance')), this.options.project);
      case 'instances.delete':
        return this.deleteInstance(this.instance(zone, at('instance')));
      case 'instances.aggregatedList':
        return aggregated('instances', [...this.instances.values()], query, this.pageSize, (each) =>
          viewInstance(each, this.options.project),
        );
      case 'instances.attachDisk':
        return this.attach(this.instance(zone, at('instance')), body);
      case 'instances.detachDisk':
        return this.detach(this.instance(zone, at('instance')), query.get('deviceName') ?? '');
      case 'disks.insert':
        return this.operations.once(query, () => this.insertDisk(zone, body));
      case 'disks.get':
        return this.viewDisk(this.disk(zone, at('disk')));
      case 'disks.delete':
        return this.deleteDisk(this.disk(zone, at('disk')));
      case 'disks.aggregatedList':
        return aggregated('disks', [...this.disks.values()], query, this.pageSize, (each) => this.viewDisk(each));
      case 'resourcePolicies.insert':
        return this.insertPolicy(at('region'), body);
      case 'resourcePolicies.delete':
        return this.deletePolicy(at('region'), at('resourcePolicy'));
      case 'reservations.aggregatedList':
        return aggregated('reservations', this.reservations as (Json & Zoned)[], query, this.pageSize, (each) => each);
      case 'zoneOperations.get':
      case 'regionOperations.get':
      case 'globalOperations.get':
        return this.operations.look(at('operation'));
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
      return this.operations.begin({ zone }, path, { code: 'ZONE_RESOURCE_POOL_EXHAUSTED', message, status: 503 });
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
    return this.operations.begin({ zone }, path);
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
    return viewOperation(this.operations.begin({ zone: instance.zone }, `zones/${key}`));
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
    return viewOperation(this.operations.begin({ zone: instance.zone }, path));
  }

  private detach(instance: FakeGceInstance, deviceName: string): unknown {
    const index = instance.disks.findIndex((disk) => disk.deviceName === deviceName);
    if (index === -1)
      throw new GoogleRefusal(400, 'invalid', `No attached disk found with device name '${deviceName}'`);
    instance.disks.splice(index, 1);
    return viewOperation(this.operations.begin({ zone: instance.zone }, deviceName));
  }

  private insertDisk(zone: string, body: Json): FakeOperation {
    const name = named(body.name);
    if (this.disks.has(`${zone}/${name}`))
      throw new GoogleRefusal(409, 'alreadyExists', `The resource '${this.diskUrl(zone, name)}' already exists`);
    this.keepDisk(zone, body);
    return this.operations.begin({ zone }, this.diskUrl(zone, name));
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
    return viewOperation(this.operations.begin({ zone: disk.zone }, disk.name));
  }

  private insertPolicy(region: string, body: Json): unknown {
    const name = named(body.name);
    const path = `projects/${this.options.project}/regions/${region}/resourcePolicies/${name}`;
    if (this.policies.has(path)) throw new GoogleRefusal(409, 'alreadyExists', `The resource '${path}' already exists`);
    this.policies.set(path, { name, region });
    return viewOperation(this.operations.begin({ region }, path));
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
    return viewOperation(this.operations.begin({ region }, path));
  }

  private insertFirewall(body: Json): unknown {
    const name = named(body.name);
    if (this.firewalls.has(name)) {
      const path = `projects/${this.options.project}/global/firewalls/${name}`;
      throw new GoogleRefusal(409, 'alreadyExists', `The resource '${path}' already exists`);
    }
    this.firewalls.set(name, body);
    return viewOperation(this.operations.begin({}, name));
  }

  private viewDisk(disk: FakeDisk): unknown {
    return viewDisk(disk, this.userOf(disk), this.options.project);
  }

  private regions(): unknown[] {
    return Object.entries(REGIONS).map(([name, zones]) => ({
      kind: 'compute#region',
      name,
      status: 'UP',
      zones: zones.map((zone) => zoneUrl(this.options.project, zone)),
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

  private diskUrl(zone: string, name: string): string {
    return `projects/${this.options.project}/zones/${zone}/disks/${name}`;
  }
}
