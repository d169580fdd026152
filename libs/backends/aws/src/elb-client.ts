import {
  CreateListenerCommand,
  type CreateListenerCommandInput,
  CreateLoadBalancerCommand,
  type CreateLoadBalancerCommandInput,
  CreateTargetGroupCommand,
  type CreateTargetGroupCommandInput,
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DeleteTargetGroupCommand,
  DeregisterTargetsCommand,
  DescribeTagsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  type Listener,
  type LoadBalancer,
  ModifyLoadBalancerAttributesCommand,
  paginateDescribeListeners,
  paginateDescribeLoadBalancers,
  paginateDescribeTargetGroups,
  RegisterTargetsCommand,
  SetSecurityGroupsCommand,
  type Tag,
  type TargetGroup,
  type TargetHealth,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Call, withinCall } from '@dstack/backend-base';
import { clientOptions } from './client-options.js';
import type { AwsAccess } from './client.js';
import { elbCode, explainAws } from './errors.js';

/** Of DescribeTags. */
const ARNS_AT_ONCE = 20;

/** The calls of Elastic Load Balancing that are used, in one region; all failures are `BackendError`s. What is not there is null. */
export class Elb {
  private readonly client: ElasticLoadBalancingV2Client;

  constructor(
    region: string,
    private readonly access: AwsAccess,
  ) {
    this.client = new ElasticLoadBalancingV2Client(clientOptions(region, access));
  }

  close(): void {
    this.client.destroy();
  }

  async balancer(name: string, call: Call): Promise<LoadBalancer | null> {
    return (await this.balancers({ Names: [name] }, call).catch(none))[0] ?? null;
  }

  /** Also those of others. */
  balancers(input: { readonly Names?: string[] }, call: Call): Promise<LoadBalancer[]> {
    return this.run(call, async (abortSignal) => {
      const found: LoadBalancer[] = [];
      const pages = paginateDescribeLoadBalancers({ client: this.client }, input, { abortSignal });
      for await (const { LoadBalancers } of pages) found.push(...(LoadBalancers ?? []));
      return found;
    });
  }

  /** The tags of each. */
  tags(arns: readonly string[], call: Call): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
    return this.run(call, async (abortSignal) => {
      const found = new Map<string, Record<string, string>>();
      for (let first = 0; first < arns.length; first += ARNS_AT_ONCE) {
        const command = new DescribeTagsCommand({ ResourceArns: arns.slice(first, first + ARNS_AT_ONCE) });
        const { TagDescriptions } = await this.client.send(command, { abortSignal });
        for (const { ResourceArn, Tags } of TagDescriptions ?? []) found.set(ResourceArn ?? '', tagsOf(Tags ?? []));
      }
      return found;
    });
  }

  setSecurityGroups(balancerArn: string, groupIds: readonly string[], call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const input = { LoadBalancerArn: balancerArn, SecurityGroups: [...groupIds] };
      await this.client.send(new SetSecurityGroupsCommand(input), { abortSignal });
    });
  }

  createBalancer(input: CreateLoadBalancerCommandInput, call: Call): Promise<LoadBalancer | null> {
    return this.run(call, async (abortSignal) => {
      const made = await this.client.send(new CreateLoadBalancerCommand(input), { abortSignal });
      return made.LoadBalancers?.[0] ?? null;
    });
  }

  setAttributes(arn: string, attributes: Readonly<Record<string, string>>, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const Attributes = Object.entries(attributes).map(([Key, Value]) => ({ Key, Value }));
      await this.client.send(new ModifyLoadBalancerAttributesCommand({ LoadBalancerArn: arn, Attributes }), {
        abortSignal,
      });
    });
  }

  deleteBalancer(arn: string, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await this.client.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: arn }), { abortSignal });
    });
  }

  async targetGroup(name: string, call: Call): Promise<TargetGroup | null> {
    const groups = this.run(call, async (abortSignal) => {
      const found: TargetGroup[] = [];
      const pages = paginateDescribeTargetGroups({ client: this.client }, { Names: [name] }, { abortSignal });
      for await (const { TargetGroups } of pages) found.push(...(TargetGroups ?? []));
      return found;
    });
    return (await groups.catch(none))[0] ?? null;
  }

  createTargetGroup(input: CreateTargetGroupCommandInput, call: Call): Promise<TargetGroup | null> {
    return this.run(call, async (abortSignal) => {
      const made = await this.client.send(new CreateTargetGroupCommand(input), { abortSignal });
      return made.TargetGroups?.[0] ?? null;
    });
  }

  deleteTargetGroup(arn: string, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await this.client.send(new DeleteTargetGroupCommand({ TargetGroupArn: arn }), { abortSignal });
    });
  }

  listeners(balancerArn: string, call: Call): Promise<Listener[]> {
    const input = { LoadBalancerArn: balancerArn };
    return this.run(call, async (abortSignal) => {
      const found: Listener[] = [];
      const pages = paginateDescribeListeners({ client: this.client }, input, { abortSignal });
      for await (const { Listeners } of pages) found.push(...(Listeners ?? []));
      return found;
    });
  }

  createListener(input: CreateListenerCommandInput, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await this.client.send(new CreateListenerCommand(input), { abortSignal });
    });
  }

  deleteListener(arn: string, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await this.client.send(new DeleteListenerCommand({ ListenerArn: arn }), { abortSignal });
    });
  }

  register(groupArn: string, target: Target, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const command = new RegisterTargetsCommand({ TargetGroupArn: groupArn, Targets: [target] });
      await this.client.send(command, { abortSignal });
    });
  }

  deregister(groupArn: string, target: Target, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const command = new DeregisterTargetsCommand({ TargetGroupArn: groupArn, Targets: [target] });
      await this.client.send(command, { abortSignal });
    });
  }

  health(groupArn: string, target: Target, call: Call): Promise<TargetHealth | null> {
    return this.run(call, async (abortSignal) => {
      const command = new DescribeTargetHealthCommand({ TargetGroupArn: groupArn, Targets: [target] });
      const { TargetHealthDescriptions } = await this.client.send(command, { abortSignal });
      return TargetHealthDescriptions?.[0]?.TargetHealth ?? null;
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

export interface Target {
  readonly Id: string;
  readonly Port: number;
}

function tagsOf(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function none(error: unknown): never[] {
  if (/^(LoadBalancer|TargetGroup)NotFound$/.test(elbCode(error) ?? '')) return [];
  throw error;
}
