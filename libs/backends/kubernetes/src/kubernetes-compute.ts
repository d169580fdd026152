import {
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  type Compute,
  CONTAINER_AGENT_SOCKET,
  CONTAINER_SSH_PORT,
  isBackendError,
  KeyedLock,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type OfferQuery,
  statusText,
  type Termination,
} from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import type { V1Secret } from '@kubernetes/client-node';
import type { Cluster } from './cluster.js';
import { isAlreadyThere, isMissing } from './errors.js';
import { makeHostKey } from './host-key.js';
import { agentSecret, agentSecretName, jobPod, registrySecret, registrySecretName } from './job-pod.js';
import { jumpRequestOf, readJumpRequest } from './jump-request.js';
import { Jumps } from './jumps.js';
import { COMPONENT, HOST_KEY, JOB, jobLabels, JUMP, jumpName, OWNER, REGION, TOKEN } from './names.js';
import { judgeNode, toOffer } from './offers.js';
import { podState } from './pod-state.js';
import type { Pod } from './schema.js';
import { ClaimVolumes } from './volumes.js';

/** How long a create waits for the scheduler's verdict, which takes milliseconds on a healthy cluster. */
const VERDICT_WAITS_MS = [100, 200, 400, 800, 1_500, 2_000, 2_000, 2_000];

export interface KubernetesOptions {
  readonly clusters: readonly Cluster[];
  /** Holds the agent; null: containers fetch it. */
  readonly agentImage: string | null;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log' | 'sleep'>;
  readonly close: () => void;
}

export class KubernetesCompute implements Compute {
  readonly volumes: ClaimVolumes;
  private readonly jumps: ReadonlyMap<string, Jumps>;
  private readonly creating = new KeyedLock();

  constructor(private readonly options: KubernetesOptions) {
    this.volumes = new ClaimVolumes((region) => this.cluster(region), options.clusters);
    this.jumps = new Map(
      options.clusters.map((cluster) => [cluster.region, new Jumps(cluster, options.agentImage)] as const),
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

  create(attempt: Attempt, call: Call): Promise<MachineState> {
    return this.creating.run(attempt.cloudName, async () => {
      const cluster = this.cluster(attempt.offer.region);
      const known = await cluster.client.pod(attempt.cloudName, call);
      if (known !== null) return this.stateOf(known, cluster, call);
      const pod = await this.makeOrClean(attempt, cluster, call);
      cluster.forgetRequests();
      return this.verdict(pod, cluster, call);
    });
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const cluster = this.cluster(ref.region);
    const pod = await cluster.client.pod(ref.cloudName, call);
    return pod === null || isAnother(pod, ref) ? { state: 'gone' } : this.stateOf(pod, cluster, call);
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const labels = { [OWNER]: owner, [COMPONENT]: JOB };
    const found = await Promise.all(this.options.clusters.map(({ client }) => client.podsWith(labels, call)));
    return this.options.clusters.flatMap(({ region }, index) =>
      (found[index] ?? [])
        // Two contexts may lead to one namespace.
        .filter(({ metadata }) => metadata.annotations[REGION] === region)
        .map((pod) => ({
          ref: refOf(pod),
          owner,
          token: pod.metadata.labels[TOKEN] ?? null,
          createdAt: pod.metadata.creationTimestamp ? Date.parse(pod.metadata.creationTimestamp) : null,
        })),
    );
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const cluster = this.cluster(ref.region);
    const known = await cluster.client.pod(ref.cloudName, call);
    const going = known === null || isAnother(known, ref) ? null : await cluster.client.deletePod(ref.cloudName, call);
    await this.removeBeside(ref.cloudName, cluster, call);
    const jump = known?.metadata.labels[JUMP];
    if (jump !== undefined) await this.jumpsOf(cluster).releaseAfter(ref.cloudName, jump, call);
    if (going === null) return 'done';
    cluster.forgetRequests();
    return 'pending';
  }

  async close(): Promise<void> {
    this.options.close();
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

  /** A create that was refused leaves nothing; one whose answer is missing may have arrived, and is repeated. */
  private async makeOrClean(attempt: Attempt, cluster: Cluster, call: Call): Promise<Pod> {
    try {
      return await this.make(attempt, cluster, call).catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        await cluster.client.ensureNamespace(call);
        return this.make(attempt, cluster, call);
      });
    } catch (error) {
      if (isBackendError(error) && error.failure.kind !== 'outage')
        await this.remove(attempt.cloudName, jumpName(attempt), cluster, call);
      throw error;
    }
  }

  private async make(attempt: Attempt, cluster: Cluster, call: Call): Promise<Pod> {
    const { container, cloudName } = attempt;
    if (container === null) throw rejected('a pod is made to run something, and nothing is given');
    const { agentImage } = this.options;
    const nodes = await cluster.nodes(call);
    const hostKey = makeHostKey();
    const labels = jobLabels(attempt, jumpName(attempt), (key) =>
      this.warn(`Kubernetes takes no such label: ${key} is left out`),
    );
    const pod = jobPod({ attempt, container, labels, hostKey, agentImage, nodes });
    await this.jumpsOf(cluster).ensure(jumpRequestOf(attempt), call);
    await this.putSecret(agentSecret(agentSecretName(cloudName), labels, hostKey), cluster, call);
    const registry = registrySecret(attempt, labels, container);
    if (registry !== null) await this.putSecret(registry, cluster, call);
    try {
      return await cluster.client.createPod(pod, call);
    } catch (error) {
      const made = isAlreadyThere(error) ? await cluster.client.pod(cloudName, call) : null;
      if (made !== null) return made;
      throw error;
    }
  }

  /** One that is there belongs to a try whose pod never arrived; reading it is more than we are allowed. */
  private async putSecret(secret: V1Secret, { client }: Cluster, call: Call): Promise<void> {
    try {
      await client.createSecret(secret, call);
    } catch (error) {
      if (!isAlreadyThere(error)) throw error;
      await client.delete('secrets', secret.metadata?.name ?? '', call);
      await client.createSecret(secret, call);
    }
  }

  /** Says at once when the cluster has no room; a scheduler that takes its time is waited for by `get`. */
  private async verdict(created: Pod, cluster: Cluster, call: Call): Promise<MachineState> {
    const { sleep, now } = this.options.environment;
    let pod = created;
    for (const waitMs of VERDICT_WAITS_MS) {
      const state = podState(pod);
      if (state.state === 'unschedulable') {
        await this.remove(pod.metadata.name, pod.metadata.labels[JUMP], cluster, call);
        throw new BackendError({ kind: 'no-capacity', blocks: 'offer' }, state.message);
      }
      if (state.state !== 'starting' || pod.spec.nodeName || now() + waitMs >= call.deadline) break;
      await sleep(waitMs, call.signal);
      pod = (await cluster.client.pod(pod.metadata.name, call)) ?? pod;
    }
    return this.stateOf(pod, cluster, call);
  }

  private async stateOf(pod: Pod, cluster: Cluster, call: Call): Promise<MachineState> {
    const state = podState(pod);
    const ref = refOf(pod);
    switch (state.state) {
      case 'gone':
        return state;
      case 'starting':
        return { state: 'pending', ref, reason: state.reason };
      case 'unschedulable':
      case 'failed':
        return { state: 'failed', ref, message: state.message };
      case 'running':
        return this.reached(pod, state.ip, cluster, call);
    }
  }

  private async reached(pod: Pod, ip: string, cluster: Cluster, call: Call): Promise<MachineState> {
    const ref = refOf(pod);
    const jumps = this.jumpsOf(cluster);
    const request = readJumpRequest(pod);
    // Its node may have been lost, or it was removed with what seemed to be the last pod.
    const name = request === null ? (pod.metadata.labels[JUMP] ?? '') : await jumps.ensure(request, call);
    const jump = await jumps.address(name, call);
    if (jump.state === 'waiting') return { state: 'pending', ref, reason: jump.reason };
    if (jump.state === 'impossible') return { state: 'failed', ref, message: jump.message };
    return {
      state: 'ready',
      ref,
      agent: {
        via: 'ssh',
        host: ip,
        port: CONTAINER_SSH_PORT,
        user: 'root',
        hostKey: pod.metadata.annotations[HOST_KEY] ?? null,
        socketPath: CONTAINER_AGENT_SOCKET,
        jump: { host: jump.host, port: jump.port, user: 'root' },
      },
      hostname: ip,
      internalIp: ip,
    };
  }

  private async remove(pod: string, jump: string | undefined, cluster: Cluster, call: Call): Promise<void> {
    await cluster.client.deletePod(pod, call);
    await this.removeBeside(pod, cluster, call);
    if (jump !== undefined) await this.jumpsOf(cluster).releaseAfter(pod, jump, call);
  }

  private async removeBeside(pod: string, { client }: Cluster, call: Call): Promise<void> {
    await client.delete('secrets', agentSecretName(pod), call);
    await client.delete('secrets', registrySecretName(pod), call);
  }

  private cluster(region: string): Cluster {
    const found = this.options.clusters.find((cluster) => cluster.region === region);
    if (found !== undefined) return found;
    throw rejected(`the configuration has no context ${region} (any more)`);
  }

  private jumpsOf({ region }: Cluster): Jumps {
    const found = this.jumps.get(region);
    if (found === undefined) throw rejected(`the configuration has no context ${region} (any more)`);
    return found;
  }

  private warn(message: string): void {
    this.options.environment.log('warn', message);
  }
}

function rejected(message: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'account' }, message);
}

function refOf({ metadata }: Pod): MachineRef {
  return {
    cloudName: metadata.name,
    machineId: metadata.uid,
    region: metadata.annotations[REGION] ?? '',
    zone: null,
    backendData: null,
  };
}

/** The name was given to something else after ours was gone. */
function isAnother({ metadata }: Pod, { machineId }: MachineRef): boolean {
  return machineId !== null && machineId !== metadata.uid;
}
