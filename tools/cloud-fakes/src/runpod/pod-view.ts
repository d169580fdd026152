import type { FakePod } from './runpod-fake.js';

/** As REST v2 shows a pod. */
export function podView(pod: FakePod): object {
  const isRunning = pod.status === 'RUNNING';
  const door = pod.door === null ? [] : [{ private: 10_022, public: pod.door.port, type: 'tcp', ip: pod.door.host }];
  return {
    id: pod.id,
    name: pod.name,
    status: pod.status,
    actions: isRunning ? ['stop', 'restart', 'terminate'] : ['terminate'],
    image: pod.image,
    args: pod.dockerArgs,
    disk: pod.diskGb,
    mounts: pod.volumeId === null ? {} : { network: [{ volumeId: pod.volumeId, path: '/data' }] },
    ports: ['10022/tcp'],
    env: pod.env,
    registry: pod.registryId,
    cloud: pod.cloud,
    dataCenterId: pod.dataCenterId,
    cudaVersion: null,
    ssh: { proxy: null, direct: null },
    template: null,
    cost: isRunning ? 0.1 : 0,
    ...(pod.cluster === null
      ? {}
      : {
          cluster: {
            id: pod.cluster.id,
            // Both are known once it has been placed.
            rank: pod.door === null ? null : pod.cluster.rank,
            ...(pod.door?.internalIp === undefined ? {} : { ip: pod.door.internalIp }),
          },
        }),
    locked: false,
    globalNetworking: { enabled: false },
    runtime: isRunning ? { uptime: 1, ...(door.length === 0 ? {} : { ports: door }) } : null,
    createdAt: new Date(pod.createdAt).toISOString(),
    startedAt: isRunning ? new Date(pod.createdAt).toISOString() : null,
  };
}
