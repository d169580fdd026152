import {
  AttachVolumeCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreatePlacementGroupCommand,
  CreateSecurityGroupCommand,
  CreateVolumeCommand,
  DeletePlacementGroupCommand,
  DeleteSecurityGroupCommand,
  DeleteVolumeCommand,
  DescribeAvailabilityZonesCommand,
  DescribeCapacityReservationsCommand,
  DescribeImagesCommand,
  type DescribeInstancesCommandInput,
  DescribeInstanceTypesCommand,
  DescribeVpcsCommand,
  DetachVolumeCommand,
  EC2Client,
  type Image,
  type Instance,
  paginateDescribeInstances,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSubnets,
  paginateDescribeVolumes,
  type RouteTable,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  type SecurityGroup,
  type Subnet,
  TerminateInstancesCommand,
  type Volume,
} from '@aws-sdk/client-ec2';
import { type Call, withinCall } from '@dstack/backend-base';
import { clientOptions } from './client-options.js';
import { explainAws } from './errors.js';
import { type GroupRule, permissionOf } from './group-rule.js';
import type { WantedGroup } from './security-group.js';

export interface AwsAccess {
  /** Null: the SDK's own chain – environment, profile, role of the machine. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  readonly endpoint: string | null;
  readonly now: () => number;
}

type Filters = readonly { readonly Name: string; readonly Values: readonly string[] }[];
const filters = (given: Filters) => given.map(({ Name, Values }) => ({ Name, Values: [...Values] }));

const tagList = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** What is left out is not looked at. */
export interface GroupQuery {
  readonly vpcId?: string;
  readonly name?: string;
  readonly tag?: { readonly name: string; readonly value: string };
}

/** The calls of EC2 that are used, in one region; all failures are `BackendError`s. */
export class Ec2 {
  private readonly client: EC2Client;

  constructor(
    region: string,
    private readonly access: AwsAccess,
  ) {
    this.client = new EC2Client(clientOptions(region, access));
  }

  close(): void {
    this.client.destroy();
  }

  zones(call: Call): Promise<string[]> {
    return this.run(call, async (abortSignal) => {
      const command = new DescribeAvailabilityZonesCommand({
        // Local and wavelength zones sell other things at other prices.
        Filters: filters([{ Name: 'zone-type', Values: ['availability-zone'] }]),
      });
      const { AvailabilityZones: zones } = await this.client.send(command, { abortSignal });
      return (zones ?? [])
        .flatMap(({ ZoneName, State }) => (ZoneName && State === 'available' ? [ZoneName] : []))
        .sort();
    });
  }

  /** Ids of the networks that the filters leave. */
  vpcs(given: Filters, call: Call): Promise<string[]> {
    return this.run(call, async (abortSignal) => {
      const { Vpcs } = await this.client.send(new DescribeVpcsCommand({ Filters: filters(given) }), { abortSignal });
      return (Vpcs ?? []).flatMap(({ VpcId }) => VpcId ?? []);
    });
  }

  subnets(vpcId: string, call: Call): Promise<Subnet[]> {
    const input = { Filters: filters([{ Name: 'vpc-id', Values: [vpcId] }]) };
    return this.run(call, async (abortSignal) => {
      const found: Subnet[] = [];
      const pages = paginateDescribeSubnets({ client: this.client }, input, { abortSignal });
      for await (const { Subnets } of pages) found.push(...(Subnets ?? []));
      return found;
    });
  }

  routeTables(vpcId: string, call: Call): Promise<RouteTable[]> {
    const input = { Filters: filters([{ Name: 'vpc-id', Values: [vpcId] }]) };
    return this.run(call, async (abortSignal) => {
      const found: RouteTable[] = [];
      const pages = paginateDescribeRouteTables({ client: this.client }, input, { abortSignal });
      for await (const { RouteTables } of pages) found.push(...(RouteTables ?? []));
      return found;
    });
  }

  securityGroups({ vpcId, name, tag }: GroupQuery, call: Call): Promise<SecurityGroup[]> {
    const input = {
      Filters: filters([
        ...(vpcId === undefined ? [] : [{ Name: 'vpc-id', Values: [vpcId] }]),
        ...(name === undefined ? [] : [{ Name: 'group-name', Values: [name] }]),
        ...(tag === undefined ? [] : [{ Name: `tag:${tag.name}`, Values: [tag.value] }]),
      ]),
    };
    return this.run(call, async (abortSignal) => {
      const found: SecurityGroup[] = [];
      const pages = paginateDescribeSecurityGroups({ client: this.client }, input, { abortSignal });
      for await (const { SecurityGroups } of pages) found.push(...(SecurityGroups ?? []));
      return found;
    });
  }

  /** Gives the group's id. */
  createSecurityGroup(
    vpcId: string,
    { name, description, tags }: Pick<WantedGroup, 'name' | 'description' | 'tags'>,
    call: Call,
  ): Promise<string> {
    return this.run(call, async (abortSignal) => {
      const command = new CreateSecurityGroupCommand({
        VpcId: vpcId,
        GroupName: name,
        Description: description,
        TagSpecifications: [{ ResourceType: 'security-group', Tags: tagList(tags) }],
      });
      return (await this.client.send(command, { abortSignal })).GroupId ?? '';
    });
  }

  openSecurityGroup(groupId: string, rule: GroupRule, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const permission = permissionOf(rule);
      const command = new AuthorizeSecurityGroupIngressCommand({ GroupId: groupId, IpPermissions: [permission] });
      await this.client.send(command, { abortSignal });
    });
  }

  deleteSecurityGroup(groupId: string, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await this.client.send(new DeleteSecurityGroupCommand({ GroupId: groupId }), { abortSignal });
    });
  }

  images(name: string, owner: string, arch: 'x86_64' | 'arm64', call: Call): Promise<Image[]> {
    return this.run(call, async (abortSignal) => {
      const command = new DescribeImagesCommand({
        Owners: [owner],
        Filters: filters([
          { Name: 'name', Values: [name] },
          { Name: 'state', Values: ['available'] },
          { Name: 'architecture', Values: [arch] },
        ]),
      });
      return (await this.client.send(command, { abortSignal })).Images ?? [];
    });
  }

  /** How many network cards of the type can speak EFA. */
  efaCards(type: string, call: Call): Promise<number> {
    return this.run(call, async (abortSignal) => {
      const command = new DescribeInstanceTypesCommand({
        Filters: filters([
          { Name: 'instance-type', Values: [type] },
          { Name: 'network-info.efa-supported', Values: ['true'] },
        ]),
      });
      const { InstanceTypes: types } = await this.client.send(command, { abortSignal });
      return types?.[0]?.NetworkInfo?.EfaInfo?.MaximumEfaInterfaces ?? 0;
    });
  }

  reservation(id: string, call: Call) {
    return this.run(call, async (abortSignal) => {
      const command = new DescribeCapacityReservationsCommand({
        CapacityReservationIds: [id],
        Filters: filters([{ Name: 'state', Values: ['active'] }]),
      });
      return (await this.client.send(command, { abortSignal })).CapacityReservations?.[0] ?? null;
    });
  }

  runInstances(input: RunInstancesCommandInput, call: Call): Promise<Instance | null> {
    return this.run(call, async (abortSignal) => {
      const { Instances } = await this.client.send(new RunInstancesCommand(input), { abortSignal });
      return Instances?.[0] ?? null;
    });
  }

  instances(input: { readonly ids?: readonly string[]; readonly filters?: Filters }, call: Call): Promise<Instance[]> {
    const request: DescribeInstancesCommandInput = {
      ...(input.ids === undefined ? {} : { InstanceIds: [...input.ids] }),
      ...(input.filters === undefined ? {} : { Filters: filters(input.filters) }),
    };
    return this.run(call, async (abortSignal) => {
      const found: Instance[] = [];
      const pages = paginateDescribeInstances({ client: this.client }, request, { abortSignal });
      for await (const { Reservations } of pages)
        found.push(...(Reservations ?? []).flatMap((each) => each.Instances ?? []));
      return found;
    });
  }

  volumes(input: { readonly ids?: readonly string[]; readonly filters?: Filters }, call: Call): Promise<Volume[]> {
    const request = {
      ...(input.ids === undefined ? {} : { VolumeIds: [...input.ids] }),
      ...(input.filters === undefined ? {} : { Filters: filters(input.filters) }),
    };
    return this.run(call, async (abortSignal) => {
      const found: Volume[] = [];
      const pages = paginateDescribeVolumes({ client: this.client }, request, { abortSignal });
      for await (const { Volumes } of pages) found.push(...(Volumes ?? []));
      return found;
    });
  }

  createVolume(
    input: {
      readonly token: string;
      readonly zone: string;
      readonly sizeGb: number;
      readonly tags: Readonly<Record<string, string>>;
    },
    call: Call,
  ): Promise<Volume> {
    return this.run(call, (abortSignal) =>
      this.client.send(
        new CreateVolumeCommand({
          ClientToken: input.token,
          AvailabilityZone: input.zone,
          Size: input.sizeGb,
          VolumeType: 'gp3',
          TagSpecifications: [{ ResourceType: 'volume', Tags: tagList(input.tags) }],
        }),
        { abortSignal },
      ),
    );
  }

  attachVolume(
    {
      volumeId,
      instanceId,
      device,
    }: { readonly volumeId: string; readonly instanceId: string; readonly device: string },
    call: Call,
  ): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const command = new AttachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId, Device: device });
      await this.client.send(command, { abortSignal });
    });
  }

  detachVolume(
    {
      volumeId,
      instanceId,
      force,
    }: { readonly volumeId: string; readonly instanceId: string; readonly force: boolean },
    call: Call,
  ): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const command = new DetachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId, Force: force });
      await this.client.send(command, { abortSignal });
    });
  }

  deleteVolume(id: string, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await this.client.send(new DeleteVolumeCommand({ VolumeId: id }), { abortSignal });
    });
  }

  createPlacementGroup(name: string, tags: Readonly<Record<string, string>>, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const command = new CreatePlacementGroupCommand({
        GroupName: name,
        Strategy: 'cluster',
        TagSpecifications: [{ ResourceType: 'placement-group', Tags: tagList(tags) }],
      });
      await this.client.send(command, { abortSignal });
    });
  }

  deletePlacementGroup(name: string, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await this.client.send(new DeletePlacementGroupCommand({ GroupName: name }), { abortSignal });
    });
  }

  terminate(id: string, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await this.client.send(new TerminateInstancesCommand({ InstanceIds: [id] }), { abortSignal });
    });
  }

  private run<T>(call: Call, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withinCall(
      call,
      async (signal) => {
        try {
          return await work(signal);
        } catch (error) {
          signal.throwIfAborted();
          throw explainAws(error);
        }
      },
      this.access.now,
    );
  }
}
