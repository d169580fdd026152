import type { FakePod } from './runpod-fake.js';

export interface FakeCluster {
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  isDeleted: boolean;
}

/** Where clusters are: in one of the data centers that the bundled prices have them in. */
export const CLUSTER_CENTER = 'CA-MTL-1';

/** As REST v2 shows a cluster. */
export function clusterView({ id, name, input, createdAt }: FakeCluster, pods: readonly FakePod[]): object {
  const byStatus = Object.fromEntries(
    [...Map.groupBy(pods, ({ status }) => status)].map(([status, of]) => [status, of.length]),
  );
  return {
    id,
    name,
    type: input['type'],
    compute: {
      gpuTypeId: input['gpuTypeId'],
      gpuCountPerPod: input['gpuCountPerPod'],
      podCount: input['podCount'],
    },
    dataCenterId: input['dataCenterId'],
    pods: { total: pods.length, byStatus },
    createdAt: new Date(createdAt).toISOString(),
  };
}

const QUERY = 'query { gpuTypes { id clusterPrice maxGpuCount nodeGroupDatacenters { id } } }';

/** GraphQL's prices of clusters, which REST does not tell; null: it is another question. */
export function answerClusterTypes(
  query: string,
  gpus: readonly { id: string; clusterPrice: number }[],
): object | null {
  if (query !== QUERY) return null;
  const gpuTypes = gpus.map(({ id, clusterPrice }) => ({
    id,
    clusterPrice: clusterPrice > 0 ? clusterPrice : null,
    maxGpuCount: 8,
    nodeGroupDatacenters: clusterPrice > 0 ? [{ id: CLUSTER_CENTER }] : [],
  }));
  return { gpuTypes };
}
