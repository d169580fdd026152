import {
  type Attempt,
  BackendError,
  CONTAINER_SSH_PORT,
  type ContainerStart,
  containerCommandWithAgent,
} from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import type { V1NodeSelectorTerm, V1Pod, V1Secret, V1Toleration } from '@kubernetes/client-node';
import type { HostKey } from './host-key.js';
import { jumpRequestAnnotation } from './jump-request.js';
import { HOST_KEY, type Labels, REGION } from './names.js';
import { AMD_DEVICE_PREFIX, GPU_RESOURCES, gpusOfNode, type GpuVendor, NVIDIA_PRODUCT } from './node-gpus.js';
import { mib } from './quantity.js';
import { dockerConfig } from './registry-auth.js';
import type { KubeNode } from './schema.js';

/** Where the agent's folder is put by the init container. */
const AGENT_FOLDER = '/dstack-agent';
const HOST_KEY_ITEM = 'host-key';
const GRACE_SECONDS = 10;

export interface JobPodOptions {
  readonly attempt: Attempt;
  readonly container: ContainerStart;
  readonly labels: Labels;
  readonly hostKey: HostKey;
  /** Holds the agent's folder; null: the container fetches it by the command it was given. */
  readonly agentImage: string | null;
  readonly nodes: readonly KubeNode[];
}

export const agentSecretName = (pod: string): string => `${pod}-agent`;
export const registrySecretName = (pod: string): string => `${pod}-registry-auth`;

/** The job and its agent. It is not tied to the node of the offer: any node with such GPUs may take it. */
export function jobPod(options: JobPodOptions): V1Pod {
  const { attempt, container, labels, hostKey, agentImage, nodes } = options;
  const { cloudName, offer } = attempt;
  const { gpus } = offer.instance.resources;
  const vendor = gpus[0]?.vendor === 'amd' ? 'amd' : gpus.length > 0 ? 'nvidia' : null;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: cloudName,
      labels: { ...labels },
      annotations: { [REGION]: offer.region, [HOST_KEY]: hostKey.shown, ...jumpRequestAnnotation(attempt) },
    },
    spec: {
      // A container that ended is told to the server, not started again behind its back.
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: GRACE_SECONDS,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(container.registryAuth === null ? {} : { imagePullSecrets: [{ name: registrySecretName(cloudName) }] }),
      ...(agentImage === null ? {} : { initContainers: [agentInstaller(agentImage)] }),
      containers: [
        {
          name: 'job',
          image: container.image,
          command:
            agentImage === null
              ? [...container.command]
              : containerCommandWithAgent(AGENT_FOLDER, attempt.authorizedKeys),
          ports: [{ containerPort: CONTAINER_SSH_PORT, protocol: 'TCP' }],
          env: environment(container, cloudName, vendor),
          securityContext: {
            runAsUser: 0,
            runAsGroup: 0,
            privileged: container.privileged,
            // Memory that stays in place, for fast networks.
            capabilities: { add: ['SYS_RESOURCE'] },
          },
          resources: resourcesOf(offer, vendor),
          volumeMounts: [
            ...(container.shmSizeBytes === null ? [] : [{ name: 'shm', mountPath: '/dev/shm' }]),
            ...(agentImage === null ? [] : [{ name: 'agent', mountPath: AGENT_FOLDER, readOnly: true }]),
            ...container.mounts.map(({ path }, index) => ({ name: claimVolume(index), mountPath: path })),
          ],
        },
      ],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: nodeTerms(offer, vendor, nodes) },
        },
      },
      tolerations: vendor === null ? [] : gpuTolerations(vendor),
      volumes: [
        ...(container.shmSizeBytes === null
          ? []
          : [{ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: String(container.shmSizeBytes) } }]),
        ...(agentImage === null ? [] : [AGENT_VOLUME]),
        ...container.mounts.map(({ volumeId: claimName }, index) => ({
          name: claimVolume(index),
          persistentVolumeClaim: { claimName },
        })),
      ],
    },
  };
}

const claimVolume = (index: number): string => `volume-${index}`;
const AGENT_VOLUME = { name: 'agent', emptyDir: {} };

/** Copies the agent out of its own image, so that it runs in any. */
function agentInstaller(image: string) {
  return {
    name: 'agent',
    image,
    args: ['copy-to', AGENT_FOLDER],
    volumeMounts: [{ name: 'agent', mountPath: AGENT_FOLDER }],
  };
}

function environment({ env }: ContainerStart, pod: string, vendor: GpuVendor | null) {
  return [
    ...Object.entries(env).map(([name, value]) => ({ name, value })),
    hostKeyVariable(agentSecretName(pod)),
    // Images that ask for all GPUs would get them under NVIDIA's runtime though none was promised.
    ...(vendor === null && !('NVIDIA_VISIBLE_DEVICES' in env)
      ? [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'void' }]
      : []),
  ];
}

export function hostKeyVariable(secretName: string) {
  return { name: 'DSTACK_AGENT_HOST_KEY', valueFrom: { secretKeyRef: { name: secretName, key: HOST_KEY_ITEM } } };
}

function resourcesOf({ instance }: Offer, vendor: GpuVendor | null) {
  const { cpus, memory_mib: memory, disk, gpus } = instance.resources;
  const devices = vendor === null ? {} : { [GPU_RESOURCES[vendor]]: String(gpus.length) };
  const requests = {
    cpu: String(cpus),
    memory: mib(memory),
    ...(disk === undefined ? {} : { 'ephemeral-storage': mib(disk.size_mib) }),
    ...devices,
  };
  return { requests, limits: devices };
}

export function gpuTolerations(vendor: GpuVendor): V1Toleration[] {
  return [{ key: GPU_RESOURCES[vendor], operator: 'Exists' }];
}

/** All nodes with the processors and GPUs of the offer. @throws {BackendError} when there is none (any more) */
function nodeTerms(offer: Offer, vendor: GpuVendor | null, nodes: readonly KubeNode[]): V1NodeSelectorTerm[] {
  const { cpu_arch: cpuArch, gpus } = offer.instance.resources;
  const arch = { key: 'kubernetes.io/arch', operator: 'In', values: [cpuArch === 'arm' ? 'arm64' : 'amd64'] };
  const [wanted] = gpus;
  if (vendor === null || wanted === undefined) return [{ matchExpressions: [arch] }];
  const alike = nodes.filter((node) => {
    const has = gpusOfNode(node);
    return has !== null && typeof has !== 'string' && has.name === wanted.name && has.memoryMib === wanted.memory_mib;
  });
  const labels = alike.flatMap(({ metadata }) => Object.entries(metadata.labels));
  if (vendor === 'nvidia') {
    const products = [...new Set(labels.flatMap(([key, value]) => (key === NVIDIA_PRODUCT ? [value] : [])))];
    if (products.length > 0)
      return [{ matchExpressions: [arch, { key: NVIDIA_PRODUCT, operator: 'In', values: products }] }];
  } else {
    const devices = [...new Set(labels.flatMap(([key]) => (key.startsWith(AMD_DEVICE_PREFIX) ? [key] : [])))];
    if (devices.length > 0) return devices.map((key) => ({ matchExpressions: [arch, { key, operator: 'Exists' }] }));
  }
  throw new BackendError(
    { kind: 'no-capacity', blocks: 'offer' },
    `no node of the cluster has a ${wanted.name} any more`,
  );
}

export function agentSecret(name: string, labels: Labels, { secret }: HostKey): V1Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name, labels: { ...labels } },
    data: { [HOST_KEY_ITEM]: base64(secret) },
  };
}

export function registrySecret(
  { cloudName }: Attempt,
  labels: Labels,
  { image, registryAuth }: ContainerStart,
): V1Secret | null {
  if (registryAuth === null) return null;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/dockerconfigjson',
    metadata: { name: registrySecretName(cloudName), labels: { ...labels } },
    data: { '.dockerconfigjson': base64(dockerConfig(image, registryAuth)) },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
