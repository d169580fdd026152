import { CONTAINER_SSH_PORT } from '@dstack/backend-base';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import type { ProxyJump } from './definition.js';
import { hostKeyVariable, gpuTolerations } from './job-pod.js';
import type { JumpRequest } from './jump-request.js';
import { INSTANCE, type Labels } from './names.js';

/** The agent is then nothing but a way to the agents of pods, for those whom these let in. */
const FORWARD_ONLY = [
  { name: 'DSTACK_AGENT_FORWARD_ONLY_TO', value: String(CONTAINER_SSH_PORT) },
  { name: 'DSTACK_AGENT_SSH_LISTEN', value: `0.0.0.0:${CONTAINER_SSH_PORT}` },
];

export interface JumpPodOptions {
  readonly name: string;
  readonly labels: Labels;
  readonly request: JumpRequest;
  readonly agentImage: string | null;
  /** Every node has GPUs and says so with a taint: there is nowhere else to be. */
  readonly amongGpus: boolean;
}

/** A small image with what fetches and unpacks the agent, where no image of the agent is named. */
const FETCHING_IMAGE = 'alpine:3.22';

/** The way from outside to the pods of a project: our own SSH server, which forwards and has no shell. */
export function jumpPod({ name, labels, request, agentImage, amongGpus }: JumpPodOptions): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { ...labels } },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containers: [
        {
          name: 'jump',
          image: agentImage ?? FETCHING_IMAGE,
          ...(agentImage === null
            ? { command: [...request.command] }
            : { args: ['container', '--dir', '/run/dstack'] }),
          ports: [{ containerPort: CONTAINER_SSH_PORT, protocol: 'TCP' }],
          env: [hostKeyVariable(name), ...FORWARD_ONLY],
          resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '512Mi' } },
          securityContext: { allowPrivilegeEscalation: false },
          readinessProbe: { tcpSocket: { port: CONTAINER_SSH_PORT }, periodSeconds: 2 },
        },
      ],
      tolerations: amongGpus ? [...gpuTolerations('nvidia'), ...gpuTolerations('amd')] : [],
    },
  };
}

export function jumpService(name: string, labels: Labels, { port }: ProxyJump): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { ...labels } },
    spec: {
      type: 'NodePort',
      selector: { [INSTANCE]: name },
      ports: [
        {
          name: 'ssh',
          port: 22,
          targetPort: CONTAINER_SSH_PORT,
          protocol: 'TCP',
          ...(port == null ? {} : { nodePort: port }),
        },
      ],
    },
  };
}
