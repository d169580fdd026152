import { Ec2Refusal } from './ec2-refusal.js';
import type { Ec2Region } from './ec2-region.js';

type Input = Readonly<Record<string, unknown>>;
type Tag = { readonly Key: string; readonly Value: string };

export interface FakeBalancer {
  readonly arn: string;
  readonly name: string;
  readonly input: Input;
  readonly createdAt: number;
  readonly attributes: Map<string, string>;
  groupIds: readonly string[];
}

export interface FakeListener {
  readonly arn: string;
  readonly balancerArn: string;
  readonly input: Input;
}

export interface FakeTargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly input: Input;
  /** Ids of machines, and since when. */
  readonly targets: Map<string, number>;
}

/** Elastic Load Balancing in one region, before the machines of EC2's there. */
export class ElbRegion {
  readonly balancers = new Map<string, FakeBalancer>();
  readonly listeners = new Map<string, FakeListener>();
  readonly groups = new Map<string, FakeTargetGroup>();
  /** How long a balancer is provisioned, and a machine looked at before it is healthy. */
  provisionMs = 0;
  healthMs = 0;
  /** The next calls of DeleteTargetGroup still see the group used. */
  heldGroups = 0;
  /** The security groups of balancers that were deleted are used for so long. */
  interfacesLeaveMs = 0;
  private readonly leaving: { readonly groupIds: readonly string[]; readonly since: number }[] = [];
  private made = 0;

  constructor(
    private readonly name: string,
    private readonly ec2: Ec2Region,
    /** ARNs of certificates that can be used here. */
    private readonly isIssued: (arn: string) => boolean,
  ) {
    ec2.groups.users.push(() => [
      ...[...this.balancers.values()].flatMap(({ groupIds }) => groupIds),
      ...this.leaving.flatMap(({ groupIds, since }) => (Date.now() < since + this.interfacesLeaveMs ? groupIds : [])),
    ]);
  }

  /** @throws {Ec2Refusal} */
  answer(action: string, input: Input): object {
    switch (action) {
      case 'CreateLoadBalancer':
        return { LoadBalancers: [this.balancerView(this.createBalancer(input))] };
      case 'DescribeLoadBalancers':
        return { LoadBalancers: this.named(input, this.balancers, 'LoadBalancerNotFound').map((each) => this.balancerView(each)) }; // prettier-ignore
      case 'ModifyLoadBalancerAttributes':
        return this.modify(input);
      case 'SetSecurityGroups':
        this.balancer(input).groupIds = this.knownGroups(input);
        return { SecurityGroupIds: input['SecurityGroups'] };
      case 'DeleteLoadBalancer':
        return this.deleteBalancer(input);
      case 'CreateTargetGroup':
        return { TargetGroups: [this.groupView(this.createGroup(input))] };
      case 'DescribeTargetGroups':
        return { TargetGroups: this.named(input, this.groups, 'TargetGroupNotFound').map((each) => this.groupView(each)) }; // prettier-ignore
      case 'DeleteTargetGroup':
        return this.deleteGroup(input);
      case 'CreateListener':
        return { Listeners: [listenerView(this.createListener(input))] };
      case 'DescribeListeners':
        return { Listeners: this.listenersOf(this.balancer(input).arn).map(listenerView) };
      case 'DeleteListener':
        if (!this.listeners.delete(String(input['ListenerArn'])))
          throw new Ec2Refusal('ListenerNotFound', 'One or more listeners not found');
        return {};
      case 'RegisterTargets':
        return this.register(input);
      case 'DeregisterTargets':
        for (const id of idsOf(input)) this.group(input).targets.delete(id);
        return {};
      case 'DescribeTargetHealth':
        return { TargetHealthDescriptions: idsOf(input).map((id) => this.health(this.group(input), id)) };
      case 'DescribeTags':
        return { TagDescriptions: (input['ResourceArns'] as string[]).map((arn) => this.tagsOf(arn)) };
      default:
        throw new Ec2Refusal('InvalidAction', action);
    }
  }

  /** That nobody pays for. */
  get isEmpty(): boolean {
    return this.balancers.size + this.listeners.size + this.groups.size === 0;
  }

  private createBalancer(input: Input): FakeBalancer {
    const name = String(input['Name']);
    const known = this.balancers.get(name);
    if (known !== undefined) {
      if (same(known.input, input)) return known;
      throw new Ec2Refusal('DuplicateLoadBalancerName', `A load balancer with the same name '${name}' exists`);
    }
    requireName(name);
    const subnets = (input['Subnets'] ?? []) as string[];
    if (new Set(subnets).size < 2)
      throw new Ec2Refusal('InvalidConfigurationRequest', 'At least two subnets in two different Availability Zones must be specified'); // prettier-ignore
    const strange = subnets.find((id) => !this.ec2.zones.includes(id.replace('subnet-', '')));
    if (strange !== undefined) throw new Ec2Refusal('SubnetNotFound', `The subnet ID '${strange}' does not exist`);
    const groupIds = this.knownGroups(input);
    const arn = this.arn('loadbalancer/app', name);
    const balancer = { arn, name, input, createdAt: Date.now(), attributes: new Map<string, string>(), groupIds };
    this.balancers.set(name, balancer);
    return balancer;
  }

  private modify(input: Input): object {
    const { attributes } = this.balancer(input);
    const given = input['Attributes'] as Tag[];
    for (const { Key, Value } of given) attributes.set(Key, Value);
    return { Attributes: given };
  }

  /** AWS answers so also for one that it does not have. */
  private deleteBalancer({ LoadBalancerArn }: Input): object {
    const arn = String(LoadBalancerArn);
    for (const listener of this.listenersOf(arn)) this.listeners.delete(listener.arn);
    for (const { arn: known, name, groupIds } of this.balancers.values()) {
      if (known !== arn) continue;
      this.balancers.delete(name);
      this.leaving.push({ groupIds, since: Date.now() });
    }
    return {};
  }

  private knownGroups(input: Input): string[] {
    const wanted = (input['SecurityGroups'] ?? []) as string[];
    const { ids } = this.ec2.groups;
    if (!wanted.every((id) => ids.has(id)))
      throw new Ec2Refusal('InvalidSecurityGroup', 'One or more security groups are invalid');
    return wanted;
  }

  private createGroup(input: Input): FakeTargetGroup {
    const name = String(input['Name']);
    const known = this.groups.get(name);
    if (known !== undefined) {
      if (same(known.input, input)) return known;
      throw new Ec2Refusal('DuplicateTargetGroupName', `A target group with the same name '${name}' exists`);
    }
    requireName(name);
    const group = { arn: this.arn('targetgroup', name), name, input, targets: new Map<string, number>() };
    this.groups.set(name, group);
    return group;
  }

  private deleteGroup({ TargetGroupArn }: Input): object {
    const arn = String(TargetGroupArn);
    const isUsed = [...this.listeners.values()].some(({ input }) => JSON.stringify(input).includes(`"${arn}"`));
    if (isUsed || this.heldGroups > 0) {
      this.heldGroups -= 1;
      throw new Ec2Refusal('ResourceInUse', `Target group '${arn}' is currently in use by a listener or a rule`);
    }
    for (const group of this.groups.values()) if (group.arn === arn) this.groups.delete(group.name);
    return {};
  }

  private createListener(input: Input): FakeListener {
    const { arn: balancerArn } = this.balancer(input);
    const port = input['Port'];
    if (this.listenersOf(balancerArn).some((each) => each.input['Port'] === port))
      throw new Ec2Refusal('DuplicateListener', 'A listener already exists on this port for this load balancer');
    const certificates = (input['Certificates'] ?? []) as { CertificateArn: string }[];
    if (input['Protocol'] === 'HTTPS' && certificates.length !== 1)
      throw new Ec2Refusal('InvalidConfigurationRequest', 'A certificate must be specified for HTTPS listeners');
    const strange = certificates.find(({ CertificateArn }) => !this.isIssued(CertificateArn));
    if (strange !== undefined)
      throw new Ec2Refusal('CertificateNotFound', `Certificate '${strange.CertificateArn}' not found`);
    for (const { TargetGroupArn } of input['DefaultActions'] as { TargetGroupArn?: string }[])
      if (TargetGroupArn !== undefined) this.group({ TargetGroupArn });
    const listener = { arn: this.arn('listener/app', String(port)), balancerArn, input };
    this.listeners.set(listener.arn, listener);
    return listener;
  }

  private register(input: Input): object {
    const group = this.group(input);
    for (const id of idsOf(input)) {
      if (this.ec2.instances.get(id)?.state !== 'running')
        throw new Ec2Refusal('InvalidTarget', `The following targets are not in a running state and cannot be registered: '${id}'`); // prettier-ignore
      if (!group.targets.has(id)) group.targets.set(id, Date.now());
    }
    return {};
  }

  private health({ targets }: FakeTargetGroup, id: string): object {
    const since = targets.get(id);
    const isRunning = this.ec2.instances.get(id)?.state === 'running';
    const Target = { Id: id, Port: 80 };
    if (since === undefined || !isRunning)
      return { Target, TargetHealth: { State: 'unused', Reason: 'Target.NotRegistered', Description: 'Target is not registered to the target group' } }; // prettier-ignore
    if (Date.now() < since + this.healthMs)
      return { Target, TargetHealth: { State: 'initial', Reason: 'Elb.RegistrationInProgress', Description: 'Target registration is in progress' } }; // prettier-ignore
    return { Target, TargetHealth: { State: 'healthy' } };
  }

  private tagsOf(arn: string): object {
    const owner = [...this.balancers.values(), ...this.groups.values()].find((each) => each.arn === arn);
    if (owner === undefined) throw new Ec2Refusal('LoadBalancerNotFound', `Load balancer '${arn}' not found`);
    return { ResourceArn: arn, Tags: owner.input['Tags'] ?? [] };
  }

  private named<T extends { readonly name: string }>(input: Input, from: ReadonlyMap<string, T>, code: string): T[] {
    const names = input['Names'] as string[] | undefined;
    if (names === undefined) return [...from.values()];
    return names.map((name) => {
      const found = from.get(name);
      if (found === undefined) throw new Ec2Refusal(code, `'[${name}]' not found`);
      return found;
    });
  }

  private balancer({ LoadBalancerArn }: Input): FakeBalancer {
    const found = [...this.balancers.values()].find(({ arn }) => arn === LoadBalancerArn);
    if (found !== undefined) return found;
    throw new Ec2Refusal('LoadBalancerNotFound', `Load balancer '${String(LoadBalancerArn)}' not found`);
  }

  private group({ TargetGroupArn }: Input): FakeTargetGroup {
    const found = [...this.groups.values()].find(({ arn }) => arn === TargetGroupArn);
    if (found !== undefined) return found;
    throw new Ec2Refusal('TargetGroupNotFound', `Target group '${String(TargetGroupArn)}' not found`);
  }

  private listenersOf(balancerArn: string): FakeListener[] {
    return [...this.listeners.values()].filter((each) => each.balancerArn === balancerArn);
  }

  private balancerView({ arn, name, input, createdAt, groupIds }: FakeBalancer): object {
    const isActive = Date.now() >= createdAt + this.provisionMs;
    return {
      LoadBalancerArn: arn,
      LoadBalancerName: name,
      DNSName: `${name}-1234567890.${this.name}.elb.amazonaws.com`,
      Scheme: input['Scheme'],
      SecurityGroups: groupIds,
      Type: input['Type'],
      State: { Code: isActive ? 'active' : 'provisioning' },
    };
  }

  private groupView({ arn, name, input }: FakeTargetGroup): object {
    return { TargetGroupArn: arn, TargetGroupName: name, Protocol: input['Protocol'], Port: input['Port'] };
  }

  private arn(kind: string, name: string): string {
    this.made += 1;
    return `arn:aws:elasticloadbalancing:${this.name}:123456789012:${kind}/${name}/${String(this.made).padStart(16, '0')}`;
  }
}

function listenerView({ arn, balancerArn, input }: FakeListener): object {
  return { ListenerArn: arn, LoadBalancerArn: balancerArn, Port: input['Port'], Protocol: input['Protocol'] };
}

function idsOf(input: Input): string[] {
  return ((input['Targets'] ?? []) as { Id: string }[]).map(({ Id }) => Id);
}

function requireName(name: string): void {
  if (/^(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/.test(name)) return;
  throw new Ec2Refusal('ValidationError', `The name '${name}' is longer than 32 characters, or has others than letters, digits and hyphens`); // prettier-ignore
}

const same = (one: Input, other: Input): boolean => JSON.stringify(one) === JSON.stringify(other);
