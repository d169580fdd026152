import { type Attempt, BackendError, CONTAINER_SSH_PORT } from '@dstack/backend-base';
import { GraphqlName } from './graphql-literal.js';
import { diskGbOf, dockerArgs, environmentOf } from './pod-request.js';

/** Pods of a cluster keep its name, whatever RunPod calls them: what a cluster leaves behind is found by it. */
export const CLUSTER_VARIABLE = 'DSTACK_AGENT_CLUSTER';
/** Which of RunPod's registry credentials the pods need: clusters cannot be made with one. */
export const REGISTRY_VARIABLE = 'DSTACK_AGENT_REGISTRY';

/** The network between the pods; what leads out of them leads not to each other. */
const NETWORK = { NCCL_SOCKET_IFNAME: 'ens1' };

/**
 * The input of `createCluster`: no `minCudaVersion`, with which it fails; the price of all pods, without which it answers that resources
 * are missing.
 */
export function clusterRequest(attempt: Attempt, size: number, registryId: string | null): Record<string, unknown> {
  const { offer, container } = attempt;
  if (container === null) throw new TypeError('a pod runs a container');
  if (container.mounts.length > 0 || attempt.volumeIds.length > 0)
    throw rejected('a network volume is with one node at a time, and the pods of a cluster share it');
  const { min, max } = offer.group_nodes ?? {};
  if (size < (min ?? Infinity) || size > (max ?? 0))
    throw rejected(`${offer.instance.name} is not sold in clusters of ${size} pods`);
  return {
    clusterName: clusterNameOf(attempt),
    gpuTypeId: offer.instance.name,
    podCount: size,
    gpuCountPerPod: offer.instance.resources.gpus.length,
    type: new GraphqlName('TRAINING'),
    imageName: container.image,
    deployCost: Math.round(offer.price * size * 100) / 100,
    dataCenterId: offer.region,
    containerDiskInGb: diskGbOf(offer),
    dockerArgs: dockerArgs(container.command),
    ports: `${CONTAINER_SSH_PORT}/tcp`,
    env: environmentOf(attempt, {
      ...NETWORK,
      [CLUSTER_VARIABLE]: attempt.cloudName,
      ...(registryId === null ? {} : { [REGISTRY_VARIABLE]: registryId }),
    }),
  };
}

/** Clusters have no variables of their own: the installation is in the name, as it is of volumes. */
export function clusterNameOf({ owner, cloudName }: Pick<Attempt, 'owner' | 'cloudName'>): string {
  return `dstack-${owner}-${cloudName}`;
}

/** Of one of the owner's, the name of its attempt; null: it is somebody else's. */
export function cloudNameOf(clusterName: string, owner: string): string | null {
  const prefix = clusterNameOf({ owner, cloudName: '' });
  return clusterName.startsWith(prefix) ? clusterName.slice(prefix.length) : null;
}

export function isNamed(clusterName: string, cloudName: string): boolean {
  return clusterName.startsWith('dstack-') && clusterName.endsWith(`-${cloudName}`);
}

function rejected(message: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'offer' }, message);
}
