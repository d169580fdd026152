import type { LoadBalancer } from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  BackendError,
  type BalancerRef,
  type BalancerRequest,
  type BalancerState,
  type BalancerSupport,
  type Call,
  type MachineRef,
  type Termination,
} from '@dstack/backend-base';
import {
  BALANCER_ATTRIBUTES,
  balancerInput,
  balancerSubnets,
  type BalancerTags,
  balancerTags,
  listenerInputs,
  targetGroupInput,
  targetOf,
} from './balancer-requests.js';
import { balancersWithGroups, deleteBalancerGroups, ensureBalancerGroups, type GroupIds } from './balancer-groups.js';
import type { AwsAccess, Ec2 } from './client.js';
import type { Elb } from './elb-client.js';
import { elbCode } from './errors.js';
import { OWNER_TAG } from './machine-state.js';
import type { UsableSubnet } from './network.js';
import type { Network } from './networks.js';

export interface AwsBalancersOptions {
  readonly access: AwsAccess;
  readonly tags: Readonly<Record<string, string>>;
  readonly everywhere: <T>(ask: (region: string) => Promise<T>) => Promise<T[]>;
  readonly network: (region: string, isPublic: boolean, call: Call) => Promise<Network>;
  readonly ec2: (region: string) => Ec2;
}

/** Application load balancers with certificates of ACM. A balancer and its target group have one name, by which each call finds them. */
export class AwsBalancers implements BalancerSupport {
  private readonly clients = new Map<string, Promise<Elb>>();

  constructor(private readonly options: AwsBalancersOptions) {}

  async ensure(request: BalancerRequest, call: Call): Promise<BalancerState> {
    const { cloudName, region, isPublic } = request;
    const elb = await this.elb(region);
    const known = await elb.balancer(cloudName, call);
    const ports = known === null ? [] : await portsOf(elb, known, call);
    if (!ports.includes(HTTPS_PORT)) await this.requireCertificate(request, call);
    const network = await this.options.network(region, isPublic, call);
    const subnets = balancerSubnets(network);
    const groups = await ensureBalancerGroups(this.options.ec2(region), network.vpcId, request, call);
    const place: Place = { network, subnets, groups, tags: balancerTags(request, this.options.tags) };
    const balancer = known ?? (await this.makeBalancer(elb, request, place, call));
    await putIntoGroup(elb, balancer, groups, call);
    if (balancer.State?.Code === 'failed')
      throw new BackendError(
        { kind: 'rejected', blocks: 'region' },
        `the load balancer failed: ${balancer.State.Reason ?? 'AWS does not say why'}`,
      );
    if (!hasAll(ports)) await this.complete(elb, request, { ...place, balancer }, call);
    const { DNSName: hostname, State: state } = balancer;
    if (hostname === undefined || state?.Code === 'provisioning')
      return { state: 'pending', reason: 'the load balancer is being provisioned' };
    return { state: 'ready', hostname, addresses: place.subnets.flatMap(({ cidr }) => cidr ?? []) };
  }

  private async requireCertificate({ certificate, region }: BalancerRequest, call: Call): Promise<void> {
    const { requireCertificate } = await import('./acm-certificate.js');
    await requireCertificate(certificate, region, this.options.access, call);
  }

  private async makeBalancer(elb: Elb, request: BalancerRequest, place: Place, call: Call): Promise<LoadBalancer> {
    const { subnets, groups, tags } = place;
    const made = await elb
      .createBalancer(balancerInput(request, subnets, { securityGroupId: groups.balancer, tags }), call)
      // Another server, or another replica of the gateway, was a moment faster.
      .catch(when('DuplicateLoadBalancerName', () => elb.balancer(request.cloudName, call)));
    return made ?? unnamed('load balancer');
  }

  /** Listeners come last: with both of them all of it is there. */
  private async complete(
    elb: Elb,
    { cloudName, certificate }: BalancerRequest,
    { network, tags, balancer }: Place & { readonly balancer: LoadBalancer },
    call: Call,
  ): Promise<void> {
    const balancerArn = balancer.LoadBalancerArn ?? unnamed('load balancer');
    const group =
      (await elb.targetGroup(cloudName, call)) ??
      (await elb
        .createTargetGroup(targetGroupInput(cloudName, network.vpcId, tags), call)
        .catch(when('DuplicateTargetGroupName', () => elb.targetGroup(cloudName, call))));
    const groupArn = group?.TargetGroupArn ?? unnamed('target group');
    await elb.setAttributes(balancerArn, BALANCER_ATTRIBUTES, call);
    const ports = await portsOf(elb, balancer, call);
    for (const input of listenerInputs(balancerArn, groupArn, { certificate, tags }))
      if (!ports.includes(input.Port))
        await elb.createListener(input, call).catch(when('DuplicateListener', () => undefined));
  }

  async join({ cloudName, region }: BalancerRef, { machineId }: MachineRef, call: Call): Promise<string | null> {
    const elb = await this.elb(region);
    const groupArn = (await elb.targetGroup(cloudName, call))?.TargetGroupArn ?? unnamed('target group');
    const target = targetOf(machineId ?? unnamed('machine'));
    await elb.register(groupArn, target, call);
    const health = await elb.health(groupArn, target, call);
    if (health?.State === 'healthy') return null;
    const why = health?.Description ?? health?.Reason ?? health?.State ?? 'nothing is known of it';
    return `the load balancer does not reach the gateway yet: ${why}`;
  }

  async leave({ cloudName, region }: BalancerRef, { machineId }: MachineRef, call: Call): Promise<void> {
    const elb = await this.elb(region);
    const groupArn = (await elb.targetGroup(cloudName, call))?.TargetGroupArn;
    if (machineId === null || groupArn === undefined) return;
    await elb.deregister(groupArn, targetOf(machineId), call).catch(whenGone(() => undefined));
  }

  async delete(ref: BalancerRef, call: Call): Promise<Termination> {
    const isGone = (await this.deleteBalancer(ref, call)) === 'done';
    return isGone ? deleteBalancerGroups(this.options.ec2(ref.region), ref.cloudName, call) : 'pending';
  }

  /** Listeners hold the target group, so they go first. */
  private async deleteBalancer({ cloudName, region }: BalancerRef, call: Call): Promise<Termination> {
    const elb = await this.elb(region);
    const balancerArn = (await elb.balancer(cloudName, call))?.LoadBalancerArn;
    if (balancerArn !== undefined) {
      const listeners = await elb.listeners(balancerArn, call).catch(whenGone(() => []));
      for (const { ListenerArn } of listeners)
        if (ListenerArn !== undefined) await elb.deleteListener(ListenerArn, call).catch(whenGone(() => undefined));
      await elb.deleteBalancer(balancerArn, call).catch(whenGone(() => undefined));
    }
    const groupArn = (await elb.targetGroup(cloudName, call))?.TargetGroupArn;
    if (groupArn === undefined) return 'done';
    return (
      elb
        .deleteTargetGroup(groupArn, call)
        .then(() => 'done' as const)
        .catch(whenGone(() => 'done' as const))
        // AWS sees a while later that no listener has it any more.
        .catch(when('ResourceInUse', () => 'pending' as const))
    );
  }

  async list(owner: string, call: Call): Promise<BalancerRef[]> {
    const found = await this.options.everywhere(async (region) => {
      const elb = await this.elb(region);
      const named = (await elb.balancers({}, call)).filter((each) => each.LoadBalancerName?.startsWith('dstack-'));
      const tags = await elb.tags(named.flatMap(({ LoadBalancerArn: arn }) => arn ?? []), call); // prettier-ignore
      const owned = named.filter(({ LoadBalancerArn: arn }) => tags.get(arn ?? '')?.[OWNER_TAG] === owner);
      // A balancer that was deleted a moment ago leaves its groups.
      const left = await balancersWithGroups(this.options.ec2(region), owner, call);
      const names = new Set([...owned.map(({ LoadBalancerName: name = '' }) => name), ...left]);
      return [...names].map((cloudName) => ({ cloudName, region }));
    });
    return found.flat();
  }

  async close(): Promise<void> {
    for (const client of this.clients.values()) (await client).close();
  }

  /** Only who has a gateway with a balancer pays for loading it. */
  private elb(region: string): Promise<Elb> {
    const known = this.clients.get(region);
    if (known !== undefined) return known;
    const client = import('./elb-client.js').then(({ Elb }) => new Elb(region, this.options.access));
    this.clients.set(region, client);
    return client;
  }
}

interface Place {
  readonly network: Network;
  readonly subnets: readonly UsableSubnet[];
  readonly groups: GroupIds;
  readonly tags: BalancerTags;
}

/** Those from before they had a group of their own are in that of all gateways of the project. */
async function putIntoGroup(elb: Elb, balancer: LoadBalancer, groups: GroupIds, call: Call): Promise<void> {
  const { LoadBalancerArn: arn = unnamed('load balancer'), SecurityGroups: known = [] } = balancer;
  if (known.length === 1 && known[0] === groups.balancer) return;
  await elb.setSecurityGroups(arn, [groups.balancer], call);
}

const HTTPS_PORT = 443;
const hasAll = (ports: readonly (number | undefined)[]): boolean => ports.includes(HTTPS_PORT) && ports.includes(80);

async function portsOf(elb: Elb, { LoadBalancerArn: arn }: LoadBalancer, call: Call) {
  return (await elb.listeners(arn ?? unnamed('load balancer'), call)).map(({ Port }) => Port);
}

/** What is done instead where AWS answers so. */
function when<T>(code: string, instead: () => T): (error: unknown) => T {
  return (error) => {
    if (elbCode(error) === code) return instead();
    throw error;
  };
}

function whenGone<T>(instead: () => T): (error: unknown) => T {
  return (error) => {
    if (/^(ListenerNotFound|LoadBalancerNotFound|TargetGroupNotFound|InvalidTarget)$/.test(elbCode(error) ?? ''))
      return instead();
    throw error;
  };
}

function unnamed(what: string): never {
  throw new BackendError({ kind: 'outage', blocks: 'offer' }, `AWS does not name the ${what} of the gateway (yet)`);
}
