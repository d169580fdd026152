export interface FakeNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly externalIp?: string;
  readonly arch?: 'amd64' | 'arm64';
  readonly taints?: readonly { readonly key: string; readonly effect: string; readonly value?: string }[];
  unschedulable?: boolean;
  notReady?: boolean;
}

/** core/v1 Node, as the fake answers it. */
export function nodeObject(node: FakeNode): object {
  const { name, labels, allocatable, externalIp, arch = 'amd64', taints, unschedulable, notReady } = node;
  return {
    metadata: { name, uid: `node-${name}`, labels: { 'kubernetes.io/arch': arch, ...labels } },
    spec: { ...(taints ? { taints } : {}), ...(unschedulable ? { unschedulable } : {}) },
    status: {
      allocatable,
      capacity: allocatable,
      conditions: [{ type: 'Ready', status: notReady ? 'False' : 'True' }],
      addresses: [
        { type: 'InternalIP', address: '10.0.0.1' },
        ...(externalIp === undefined ? [] : [{ type: 'ExternalIP', address: externalIp }]),
      ],
      nodeInfo: {
        architecture: arch,
        bootID: '',
        containerRuntimeVersion: 'containerd://2.1.0',
        kernelVersion: '6.12.0',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.36.3',
        machineID: '',
        operatingSystem: 'linux',
        osImage: 'Debian GNU/Linux 13 (trixie)',
        systemUUID: '',
      },
    },
  };
}

const GIB_128 = '131072Mi';

export const CPU_NODE: FakeNode = {
  name: 'cpu-1',
  labels: {},
  allocatable: { cpu: '7910m', memory: '15Gi', 'ephemeral-storage': '220Gi' },
  externalIp: '198.51.100.7',
};

export const A100_NODE: FakeNode = {
  name: 'gpu-1',
  labels: { 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-80GB', 'nvidia.com/gpu.memory': '81920' },
  allocatable: { cpu: '95', memory: GIB_128, 'ephemeral-storage': '900Gi', 'nvidia.com/gpu': '8' },
  externalIp: '198.51.100.8',
  taints: [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }],
};
