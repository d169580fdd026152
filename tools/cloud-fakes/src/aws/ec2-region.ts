import { Ec2Groups } from './ec2-groups.js';
import { Ec2Refusal } from './ec2-refusal.js';
import { type Disks, Ec2Volumes } from './ec2-volumes.js';

export interface FakeEc2Instance {
  readonly id: string;
  readonly token: string;
  readonly region: string;
  readonly zone: string;
  readonly type: string;
  readonly isSpot: boolean;
  readonly imageId: string;
  readonly userData: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly input: Readonly<Record<string, unknown>>;
  readonly launchedAt: Date;
  state: 'pending' | 'running' | 'shutting-down' | 'terminated';
  ip: string | null;
  /** Why it ended. */
  reason: { readonly Code: string; readonly Message: string } | null;
}

interface Machines extends Disks {
  readonly boot: (instance: FakeEc2Instance) => Promise<string>;
  readonly halt: (instance: FakeEc2Instance) => Promise<void>;
}

type Input = Readonly<Record<string, unknown>>;
type Filter = { readonly Name?: string; readonly Values?: readonly string[] };
type Tag = { readonly Key: string; readonly Value: string };

const STATE_CODES = { pending: 0, running: 16, 'shutting-down': 32, terminated: 48 } as const;

/** One region: a default network with a public subnet in each of three zones, one image of each kind, machines. */
export class Ec2Region {
  readonly instances = new Map<string, FakeEc2Instance>();
  /** Zones without room, and types the cloud has none of. */
  readonly dryZones = new Set<string>();
  readonly dryTypes = new Set<string>();
  /** Machines are unknown to DescribeInstances for that long. */
  describeLagMs = 0;
  hasInternetGateway = true;
  hasNat = false;
  /** In which the default network has a subnet. */
  subnetCount = 3;
  readonly reservations: Record<string, unknown>[] = [];
  readonly groups = new Ec2Groups();
  readonly volumes: Ec2Volumes;
  /** Names of the placement groups. */
  readonly placementGroups = new Set<string>();
  private nextId = 1;

  constructor(
    private readonly name: string,
    private readonly machines: Machines,
  ) {
    this.volumes = new Ec2Volumes(this.zones, this.instances, machines);
    this.groups.users.push(() =>
      [...this.instances.values()].flatMap(({ state, input }) => (state === 'terminated' ? [] : groupsOf(input))),
    );
  }

  get zones(): string[] {
    return ['a', 'b', 'c'].map((letter) => `${this.name}${letter}`);
  }

  private get usableZones(): string[] {
    return this.zones.slice(0, this.subnetCount);
  }

  /** @throws {Ec2Refusal} */
  answer(action: string, input: Input): object {
    switch (action) {
      case 'DescribeAvailabilityZones':
        return {
          AvailabilityZones: this.zones.map((ZoneName) => ({ ZoneName, State: 'available', RegionName: this.name })),
        };
      case 'DescribeVpcs':
        return { Vpcs: filterValue(input, 'tag:Name') === undefined ? [{ VpcId: this.vpcId, IsDefault: true }] : [] };
      case 'DescribeSubnets':
        return {
          Subnets: this.usableZones.map((zone, index) => ({
            SubnetId: `subnet-${zone}`,
            CidrBlock: `172.31.${16 * index}.0/20`,
            AvailabilityZone: zone,
            VpcId: this.vpcId,
          })),
        };
      case 'DescribeRouteTables':
        return { RouteTables: [this.routeTable()] };
      case 'DescribeSecurityGroups':
        return { SecurityGroups: this.groups.describe(input) };
      case 'CreateSecurityGroup':
        return this.groups.create(input);
      case 'AuthorizeSecurityGroupIngress':
        return this.groups.authorize(input);
      case 'DeleteSecurityGroup':
        return this.groups.remove(input);
      case 'DescribeImages':
        return { Images: this.images(input) };
      case 'DescribeInstanceTypes':
        return { InstanceTypes: this.efaTypes(input) };
      case 'DescribeCapacityReservations':
        return { CapacityReservations: this.describeReservations(input) };
      case 'RunInstances':
        return { ReservationId: 'r-1', Instances: [this.view(this.run(input))] };
      case 'DescribeInstances':
        return {
          Reservations: this.describe(input).map((each) => ({ ReservationId: 'r-1', Instances: [this.view(each)] })),
        };
      case 'TerminateInstances':
        return this.terminate(input);
      case 'CreateVolume':
        return this.volumes.create(input);
      case 'DescribeVolumes':
        return this.volumes.describe(input);
      case 'AttachVolume':
        return this.volumes.attach(input);
      case 'DetachVolume':
        return this.volumes.detach(input);
      case 'DeleteVolume':
        return this.volumes.delete(input);
      case 'CreatePlacementGroup':
        return this.createPlacementGroup(input);
      case 'DeletePlacementGroup':
        return this.deletePlacementGroup(input);
      default:
        throw new Ec2Refusal('InvalidAction', action);
    }
  }

  /** The cloud takes it back. */
  interrupt(instance: FakeEc2Instance): void {
    instance.reason = {
      Code: 'Server.SpotInstanceTermination',
      Message: 'Server.SpotInstanceTermination: Instance terminated by EC2',
    };
    this.end(instance);
  }

  private get vpcId(): string {
    return `vpc-${this.name}`;
  }

  private routeTable(): object {
    const local = { DestinationCidrBlock: '172.31.0.0/16', GatewayId: 'local' };
    const nat = { DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: 'nat-1' };
    const internet = { DestinationCidrBlock: '0.0.0.0/0', GatewayId: 'igw-1' };
    return {
      RouteTableId: 'rtb-1',
      VpcId: this.vpcId,
      Associations: [{ Main: true, RouteTableId: 'rtb-1' }],
      Routes: [local, ...(this.hasInternetGateway ? [internet] : []), ...(this.hasNat ? [nat] : [])],
    };
  }

  private createPlacementGroup({ GroupName }: Input): object {
    const name = String(GroupName);
    if (this.placementGroups.has(name))
      throw new Ec2Refusal('InvalidPlacementGroup.Duplicate', `The Placement Group '${name}' already exists.`);
    this.placementGroups.add(name);
    return { PlacementGroup: { GroupName: name, State: 'available', Strategy: 'cluster' } };
  }

  private deletePlacementGroup({ GroupName }: Input): object {
    const name = String(GroupName);
    if (!this.placementGroups.has(name))
      throw new Ec2Refusal('InvalidPlacementGroup.Unknown', `The Placement Group '${name}' is unknown.`);
    const isUsed = [...this.instances.values()].some(
      (instance) => instance.state !== 'terminated' && placementGroupOf(instance.input) === name,
    );
    if (isUsed)
      throw new Ec2Refusal(
        'InvalidPlacementGroup.InUse',
        `The placement group '${name}' is in use and may not be deleted.`,
      );
    this.placementGroups.delete(name);
    return {};
  }

  private images(input: Input): object[] {
    const pattern = filterValue(input, 'name') ?? '';
    const arch = filterValue(input, 'architecture') ?? 'x86_64';
    const kind = pattern.startsWith('Deep Learning') ? 'gpu' : 'cpu';
    return ['2026-01-01', '2026-07-01'].map((date) => ({
      ImageId: `ami-${kind}-${arch}-${date}`,
      Name: pattern.replaceAll('*', date),
      CreationDate: `${date}T00:00:00.000Z`,
      State: 'available',
      RootDeviceName: '/dev/sda1',
      Architecture: arch,
    }));
  }

  private efaTypes(input: Input): object[] {
    const type = filterValue(input, 'instance-type') ?? '';
    const cards = { 'p5.48xlarge': 32, 'g6.48xlarge': 1, 'p4d.24xlarge': 4 }[type];
    if (cards === undefined) return [];
    return [{ InstanceType: type, NetworkInfo: { EfaSupported: true, EfaInfo: { MaximumEfaInterfaces: cards } } }];
  }

  private describeReservations({ CapacityReservationIds }: Input): object[] {
    const ids = CapacityReservationIds as string[];
    const found = this.reservations.filter((each) => ids.includes(String(each['CapacityReservationId'])));
    if (found.length === 0)
      throw new Ec2Refusal(
        'InvalidCapacityReservationId.NotFound',
        `The capacity reservation '${ids[0]}' was not found`,
      );
    return found;
  }

  private run(input: Input): FakeEc2Instance {
    const token = String(input['ClientToken']);
    const known = [...this.instances.values()].find((instance) => instance.token === token);
    if (known !== undefined) {
      if (JSON.stringify(known.input) === JSON.stringify(input)) return known;
      throw new Ec2Refusal(
        'IdempotentParameterMismatch',
        'The client token is already associated with a different request',
      );
    }
    const type = String(input['InstanceType']);
    const [network] = input['NetworkInterfaces'] as { SubnetId: string; AssociatePublicIpAddress?: boolean }[];
    const interfaces = input['NetworkInterfaces'] as { AssociatePublicIpAddress?: boolean }[];
    const zone = network?.SubnetId.replace('subnet-', '') ?? '';
    if (!this.zones.includes(zone))
      throw new Ec2Refusal('InvalidSubnetID.NotFound', `The subnet ID '${network?.SubnetId}' does not exist`);
    if (interfaces.length > 1 && interfaces.some((each) => each.AssociatePublicIpAddress === true))
      throw new Ec2Refusal(
        'InvalidParameterCombination',
        'The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces.',
      );
    for (const id of groupsOf(input)) this.groups.require(id);
    const group = placementGroupOf(input);
    if (group !== null && !this.placementGroups.has(group))
      throw new Ec2Refusal('InvalidPlacementGroup.Unknown', `The Placement Group '${group}' is unknown.`);
    if (this.dryZones.has(zone) || this.dryTypes.has(type))
      throw new Ec2Refusal(
        'InsufficientInstanceCapacity',
        `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${zone}).`,
        500,
      );
    const tags = (input['TagSpecifications'] as { ResourceType: string; Tags: Tag[] }[]).find(
      ({ ResourceType }) => ResourceType === 'instance',
    )?.Tags;
    const instance: FakeEc2Instance = {
      id: `i-${String(this.nextId++).padStart(17, '0')}`,
      token,
      region: this.name,
      zone,
      type,
      isSpot: JSON.stringify(input['InstanceMarketOptions'] ?? '').includes('"spot"'),
      imageId: String(input['ImageId']),
      userData: Buffer.from(String(input['UserData']), 'base64').toString(),
      tags: Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key, Value])),
      input,
      launchedAt: new Date(),
      state: 'pending',
      ip: null,
      reason: null,
    };
    this.instances.set(instance.id, instance);
    this.machines.boot(instance).then(
      (ip) => {
        if (instance.state === 'pending') Object.assign(instance, { state: 'running', ip });
      },
      () => {
        instance.reason = { Code: 'Server.InternalError', Message: 'Server.InternalError: Internal error on launch' };
        this.end(instance);
      },
    );
    return instance;
  }

  private describe(input: Input): FakeEc2Instance[] {
    const ids = input['InstanceIds'] as string[] | undefined;
    const known = [...this.instances.values()].filter(
      ({ launchedAt }) => Date.now() >= launchedAt.getTime() + this.describeLagMs,
    );
    if (ids !== undefined) {
      const found = known.filter(({ id }) => ids.includes(id));
      if (found.length < ids.length)
        throw new Ec2Refusal('InvalidInstanceID.NotFound', `The instance ID '${ids[0]}' does not exist`);
      return found;
    }
    const given = (input['Filters'] ?? []) as Filter[];
    return known.filter((instance) => given.every((filter) => passes(instance, filter)));
  }

  private terminate({ InstanceIds }: Input): object {
    const found = (InstanceIds as string[]).map((id) => {
      const instance = this.instances.get(id);
      if (instance === undefined)
        throw new Ec2Refusal('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
      return instance;
    });
    for (const instance of found) {
      if (instance.state === 'terminated') continue;
      instance.reason ??= {
        Code: 'Client.UserInitiatedShutdown',
        Message: 'Client.UserInitiatedShutdown: User initiated shutdown',
      };
      this.end(instance);
    }
    return {
      TerminatingInstances: found.map(({ id, state }) => ({
        InstanceId: id,
        CurrentState: { Code: STATE_CODES[state], Name: state },
      })),
    };
  }

  private end(instance: FakeEc2Instance): void {
    instance.state = 'shutting-down';
    void this.machines.halt(instance).finally(() => {
      instance.state = 'terminated';
      this.volumes.release(instance.id);
    });
  }

  private view(instance: FakeEc2Instance): object {
    const { ip, reason } = instance;
    return {
      InstanceId: instance.id,
      ImageId: instance.imageId,
      InstanceType: instance.type,
      State: { Code: STATE_CODES[instance.state], Name: instance.state },
      ...(ip === null || instance.state !== 'running' ? {} : { PublicIpAddress: ip, PrivateIpAddress: ip }),
      Placement: { AvailabilityZone: instance.zone, Tenancy: 'default' },
      BlockDeviceMappings: this.volumes.devicesOf(instance.id),
      LaunchTime: instance.launchedAt,
      ClientToken: instance.token,
      Tags: Object.entries(instance.tags).map(([Key, Value]) => ({ Key, Value })),
      ...(instance.isSpot ? { InstanceLifecycle: 'spot', SpotInstanceRequestId: 'sir-1' } : {}),
      ...(reason === null ? {} : { StateReason: reason }),
    };
  }
}

function groupsOf(input: Input): string[] {
  return ((input['NetworkInterfaces'] ?? []) as { Groups?: string[] }[]).flatMap(({ Groups }) => Groups ?? []);
}

function placementGroupOf(input: Input): string | null {
  return (input['Placement'] as { GroupName?: string } | undefined)?.GroupName ?? null;
}

function filterValue(input: Input, name: string): string | undefined {
  const given = (input['Filters'] ?? []) as Filter[];
  return given.find((filter) => filter.Name === name)?.Values?.[0];
}

function passes(instance: FakeEc2Instance, { Name = '', Values = [] }: Filter): boolean {
  if (Name === 'instance-state-name') return Values.includes(instance.state);
  if (Name === 'client-token') return Values.includes(instance.token);
  if (Name.startsWith('tag:')) return Values.includes(instance.tags[Name.slice(4)] ?? '');
  return false;
}
