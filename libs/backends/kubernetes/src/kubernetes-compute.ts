import {
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  type Compute,
  type GatewaySupport,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type OfferQuery,
  statusText,
  type Termination,
} from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import type { Cluster } from './cluster.js';
import { DEFAULT_GATEWAY_IMAGE } from './gateway-pod.js';
import { GatewayPods, requirePodGateway } from './gateway-pods.js';
import { JobPods } from './job-pods.js';
import { COMPONENT, GATEWAY, JOB, OWNER, REGION, TOKEN } from './names.js';
import { judgeNode, toOffer } from './offers.js';
import { gatewayRefOf, isGatewayRef, refOf } from './refs.js';
import { ClaimVolumes } from './volumes.js';

export interface KubernetesOptions {
  readonly clusters: readonly Cluster[];
  /** Holds the agent; null: containers fetch it. */
  readonly agentImage: string | null;
  /** Of gateways; null: the usual one. */
  readonly gatewayImage: string | null;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log' | 'sleep'>;
  readonly close: () => void;
}

export class KubernetesCompute implements Compute {
  readonly volumes: ClaimVolumes;
  readonly gateways: GatewaySupport = {
    createReplica: async ({ publicIp, instanceType, ...attempt }, call) => {
      requirePodGateway({ publicIp, instanceType });
      return known(attempt.offer.region, this.gatewayPods).create(attempt, call);
    },
    terminateReplica: async (ref, call) => known(ref.region, this.gatewayPods).terminate(ref, call),
  };
  private readonly pods: ReadonlyMap<string, JobPods>;
  private readonly gatewayPods: ReadonlyMap<string, GatewayPods>;

  constructor(private readonly options: KubernetesOptions) {
    const { clusters, agentImage, gatewayImage, environment } = options;
    const image = gatewayImage ?? DEFAULT_GATEWAY_IMAGE;
    this.gatewayPods = new Map(
      clusters.map((cluster) => [cluster.region, new GatewayPods({ cluster, image, environment })] as const),
    );
    const byRegion = new Map(clusters.map((cluster) => [cluster.region, cluster]));
    this.volumes = new ClaimVolumes((region) => known(region, byRegion), clusters);
    this.pods = new Map(
      clusters.map((cluster) => [cluster.region, new JobPods({ cluster, agentImage, environment })] as const),
    );
  }

  /** A cluster that does not answer is told and left out, unless it is the only one. */
  async offers(query: OfferQuery, call: Call): Promise<Offer[]> {
    call.signal.throwIfAborted();
    const { clusters, environment } = this.options;
    const answers = await Promise.allSettled(clusters.map((cluster) => this.offersOf(cluster, query, call)));
    const failed = answers.flatMap((answer, index) => {
      if (answer.status === 'fulfilled') return [];
      environment.log('warn', `No offers of a cluster: ${statusText(answer.reason)}`, {
        cluster: clusters[index]?.region,
      });
      return [answer.reason as unknown];
    });
    if (failed.length === clusters.length) throw failed[0];
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  }

  async create(attempt: Attempt, call: Call): Promise<MachineState> {
    return known(attempt.offer.region, this.pods).create(attempt, call);
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    return this.podsOf(ref).get(ref, call);
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const found = await Promise.all(
      this.options.clusters.map(({ client }) => client.podsWith({ [OWNER]: owner }, call)),
    );
    return this.options.clusters.flatMap(({ region }, index) =>
      (found[index] ?? [])
        // Two contexts may lead to one namespace.
        .filter(({ metadata }) => metadata.annotations[REGION] === region)
        .flatMap((pod) => {
          const component = pod.metadata.labels[COMPONENT];
          if (component === GATEWAY) return [{ pod, ref: gatewayRefOf(pod) }];
          return component === JOB ? [{ pod, ref: refOf(pod) }] : [];
        })
        .map(({ pod, ref }) => ({
          ref,
          owner,
          token: pod.metadata.labels[TOKEN] ?? null,
          createdAt: pod.metadata.creationTimestamp ? Date.parse(pod.metadata.creationTimestamp) : null,
        })),
    );
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    return this.podsOf(ref).terminate(ref, call);
  }

  async close(): Promise<void> {
    this.options.close();
  }

  private podsOf(ref: MachineRef): JobPods | GatewayPods {
    return isGatewayRef(ref) ? known(ref.region, this.gatewayPods) : known(ref.region, this.pods);
  }

  private async offersOf(cluster: Cluster, query: OfferQuery, call: Call): Promise<Offer[]> {
    const [nodes, requested] = await Promise.all([
      cluster.nodes(call),
      query.unallocated ? cluster.requested(call) : new Map<string, never>(),
    ]);
    return nodes.flatMap((node) => {
      const judged = judgeNode(node, requested.get(node.metadata.name));
      if (!judged.ok) return [];
      if (judged.warning !== null)
        this.options.environment.log(
          'warn',
          `Node ${node.metadata.name} is offered without its GPUs: ${judged.warning}`,
        );
      if (judged.space.cpus < 1) return [];
      return [toOffer(judged.space, cluster.region, query.requirements.resources, query.fullOffers)];
    });
  }
}

function known<T>(region: string, regions: ReadonlyMap<string, T>): T {
  const found = regions.get(region);
  if (found !== undefined) return found;
  const message = `the configuration has no context ${region} (any more)`;
  throw new BackendError({ kind: 'rejected', blocks: 'account' }, message);
}
