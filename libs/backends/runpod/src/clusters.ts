import {
  type Attempt,
  BackendError,
  type Call,
  type GroupSupport,
  isBackendError,
  KeyedLock,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import type { RunpodClient } from './client.js';
import { type ClusterData, readData, writeData } from './cluster-data.js';
import {
  CLUSTER_VARIABLE,
  cloudNameOf,
  clusterNameOf,
  clusterRequest,
  isNamed,
  REGISTRY_VARIABLE,
} from './cluster-request.js';
import { isStillBilled, stateOf } from './machine-state.js';
import { TOKEN_VARIABLE } from './pod-request.js';
import type { RegistryCredentials } from './registry-credentials.js';
import type { RunpodCluster, RunpodPod } from './schema.js';

/** Instant Clusters: pods that are made by one call, with a network between them, one for each node of a task. */
export class Clusters implements GroupSupport {
  private readonly creating = new KeyedLock();
  /** Pods that were told which credentials to pull with: telling one twice might start it anew. */
  private readonly told = new Set<string>();

  constructor(
    private readonly client: RunpodClient,
    private readonly registries: RegistryCredentials,
  ) {}

  /** RunPod knows no token: whoever asks looks first, and within this process no two look at once. */
  create(attempt: Attempt, size: number, call: Call): Promise<MachineState> {
    return this.creating.run(attempt.token, async () => {
      const known = (await this.client.clusters(call)).find(({ name }) => name === clusterNameOf(attempt));
      const id = known?.id;
      return id === undefined ? this.make(attempt, size, call) : pendingAt(await this.refOf(id, attempt, call));
    });
  }

  member(first: MachineRef, rank: number): MachineRef {
    return { ...first, backendData: writeData({ rank, pod: null, pods: readData(first)?.pods ?? [] }) };
  }

  async get(ref: MachineRef, data: ClusterData, call: Call): Promise<MachineState> {
    if (data.pod !== null) {
      const pod = await this.client.pod(data.pod, call).catch(unlessMissing);
      return pod === undefined ? this.withoutPod(ref, call) : stateAt(pod, ref, data);
    }
    const clusterId = ref.machineId ?? (await this.idByName(ref.cloudName, call));
    const pods = clusterId === null ? undefined : await this.client.podsOfCluster(clusterId, call).catch(unlessMissing);
    if (pods === undefined) return this.withoutPod(ref, call);
    // A pod that cannot pull its image may get its rank late.
    for (const pod of pods) await this.tellRegistry(pod, call);
    const pod = pods.find(({ cluster }) => cluster?.rank === data.rank);
    const found = { ...ref, machineId: clusterId };
    if (pod === undefined) return { state: 'pending', ref: found, reason: 'its pod has no rank yet' };
    const seen = [...new Set([...data.pods, ...pods.map(({ id }) => id)])];
    return stateAt(pod, found, { ...data, pod: pod.id, pods: seen });
  }

  /**
   * Deleting a cluster has left pods behind, which went on costing money: every one that was ever heard of is ended by itself, and it is over
   * when RunPod lists none of them.
   */
  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const recorded = readData(ref)?.pods ?? [];
    const id = ref.machineId ?? (await this.idByName(ref.cloudName, call));
    const known = await this.billedPods(id, ref, call);
    const isDeletedNow = id !== null && (await this.delete(id, call));
    const ending = new Set([...known.map((pod) => pod.id), ...(isDeletedNow ? recorded : [])]);
    for (const podId of ending) await this.client.terminate(podId, call).catch(unlessMissing);
    for (const registry of new Set(known.map(({ env }) => env?.[REGISTRY_VARIABLE])))
      if (registry !== undefined) await this.registries.remove(registry, call);
    if (ending.size === 0) return 'done';
    return (await this.billedPods(id, ref, call)).length > 0 ? 'pending' : 'done';
  }

  /** Each once, with all pods that carry its name; also those whose pods RunPod has not placed yet, or whose cluster is gone. */
  async list(owner: string, pods: readonly RunpodPod[], call: Call): Promise<ListedMachine[]> {
    const named = new Map<string, RunpodCluster | null>();
    for (const cluster of await this.client.clusters(call).catch(unlessForbidden)) {
      const cloudName = cloudNameOf(cluster.name, owner);
      if (cloudName !== null) named.set(cloudName, cluster);
    }
    const members = Map.groupBy(pods, ({ env }) => env?.[CLUSTER_VARIABLE] ?? '');
    for (const cloudName of members.keys()) if (!named.has(cloudName)) named.set(cloudName, null);
    return [...named].map(([cloudName, cluster]) => {
      const its = members.get(cloudName) ?? [];
      const id = cluster?.id ?? its.find((pod) => pod.cluster)?.cluster?.id ?? null;
      return {
        ref: refAt(id, cloudName, its),
        owner,
        token: its[0]?.env?.[TOKEN_VARIABLE] ?? null,
        createdAt: Date.parse(cluster?.createdAt ?? its[0]?.createdAt ?? '') || null,
      };
    });
  }

  /** Of a cluster, whatever has become of it: by its id, by theirs, and by what they carry. */
  private async billedPods(id: string | null, ref: MachineRef, call: Call): Promise<RunpodPod[]> {
    const recorded = readData(ref)?.pods ?? [];
    const isMember = ({ id: podId, cluster, env }: RunpodPod): boolean =>
      (id !== null && cluster?.id === id) || recorded.includes(podId) || env?.[CLUSTER_VARIABLE] === ref.cloudName;
    return (await this.client.pods(call)).filter((pod) => isMember(pod) && isStillBilled(pod));
  }

  /** As long as others of its cluster are there, that is to be given back. */
  private async withoutPod(ref: MachineRef, call: Call): Promise<MachineState> {
    const others = await this.billedPods(ref.machineId, ref, call);
    if (others.length === 0) return { state: 'gone' };
    return { state: 'failed', ref, message: 'RunPod has ended the pod; others of its cluster are still there' };
  }

  private async make(attempt: Attempt, size: number, call: Call): Promise<MachineState> {
    const auth = attempt.container?.registryAuth ?? null;
    const registryId = auth === null ? null : await this.registries.ensure(attempt, auth, call);
    try {
      const input = clusterRequest(attempt, size, registryId);
      const { made, refusal } = await this.client.createCluster(input, call);
      const ids = (made?.pods ?? []).map(({ id }) => id);
      if (refusal === null && made !== null) return pendingAt(refOfMade(made.id, attempt, ids));
      if (made !== null) await this.terminate(refOfMade(made.id, attempt, ids), call);
      throw refusal ?? new BackendError({ kind: 'outage', blocks: 'offer' }, 'RunPod made no cluster and said nothing');
    } catch (error) {
      const hasNone = isBackendError(error) && error.failure.kind !== 'outage' && error.failure.kind !== 'throttled';
      if (registryId !== null && hasNone) await this.registries.remove(registryId, call);
      throw error;
    }
  }

  /** Clusters are made without a registry's credentials: each pod is told afterwards, and pulls again. */
  private async tellRegistry({ id, env, registry, status }: RunpodPod, call: Call): Promise<void> {
    const needed = env?.[REGISTRY_VARIABLE];
    if (needed === undefined || registry === needed || status === 'RUNNING' || this.told.has(id)) return;
    this.told.add(id);
    try {
      await this.client.setRegistry(id, needed, call);
    } catch (error) {
      this.told.delete(id);
      throw error;
    }
  }

  private async refOf(clusterId: string, attempt: Attempt, call: Call): Promise<MachineRef> {
    const pods = await this.client.podsOfCluster(clusterId, call);
    return refOfMade(clusterId, attempt, pods.map(({ id }) => id)); // prettier-ignore
  }

  private async idByName(cloudName: string, call: Call): Promise<string | null> {
    const clusters = await this.client.clusters(call).catch(unlessForbidden);
    return clusters.find(({ name }) => isNamed(name, cloudName))?.id ?? null;
  }

  /** False: there is none any more. */
  private async delete(id: string, call: Call): Promise<boolean> {
    try {
      await this.client.deleteCluster(id, call);
      return true;
    } catch (error) {
      unlessMissing(error);
      return false;
    }
  }
}

function refOfMade(id: string, { cloudName, offer }: Attempt, pods: readonly string[]): MachineRef {
  const backendData = writeData({ rank: 0, pod: null, pods });
  return { cloudName, machineId: id, region: offer.region, zone: null, backendData };
}

function refAt(id: string | null, cloudName: string, pods: readonly RunpodPod[]): MachineRef {
  const backendData = writeData({ rank: 0, pod: null, pods: pods.map((pod) => pod.id) });
  return { cloudName, machineId: id, region: pods[0]?.dataCenterId ?? '', zone: null, backendData };
}

function stateAt(pod: RunpodPod, ref: MachineRef, data: ClusterData): MachineState {
  return stateOf(pod, { ...ref, region: pod.dataCenterId ?? ref.region, backendData: writeData(data) });
}

function pendingAt(ref: MachineRef): MachineState {
  return { state: 'pending', ref };
}

function unlessMissing(error: unknown): undefined {
  if (isBackendError(error) && error.failure.kind === 'not-found') return undefined;
  throw error;
}

/** Keys may be kept from clusters: then there is none of ours. */
function unlessForbidden(error: unknown): RunpodCluster[] {
  if (isBackendError(error) && error.failure.kind === 'credentials') return [];
  throw error;
}
