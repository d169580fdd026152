import type { Attempt } from '@dstack/backend-base';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import { gpuTolerations } from './job-pod.js';
import { baseLabels, GATEWAY, INSTANCE, type Labels, REGION, TOKEN, withTags } from './names.js';

/** What has neither an SSH server nor nginx gets both from its packages. */
export const DEFAULT_GATEWAY_IMAGE = 'ubuntu:22.04';
const KEYS = 'DSTACK_GATEWAY_KEYS';
const GRACE_SECONDS = 10;

/** A host for the server to put the gateway on: an SSH server that lets the project's key in, and nothing else. */
const START = `set -eu
sshd=$(command -v sshd || echo /usr/sbin/sshd)
if [ ! -x "$sshd" ]; then
  export DEBIAN_FRONTEND=noninteractive
  if command -v apt-get >/dev/null; then
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends openssh-server nginx
  elif command -v apk >/dev/null; then apk add -q openssh nginx
  else echo 'the image has no sshd, and no packages to get it from' >&2; exit 1; fi
  sshd=$(command -v sshd || echo /usr/sbin/sshd)
fi
(umask 077; mkdir -p /root/.ssh; printf '%s\\n' "$${KEYS}" > /root/.ssh/authorized_keys)
mkdir -p -m 755 /run/sshd
ssh-keygen -A
exec "$sshd" -D -e -f /dev/null -o Port=22 -o UsePAM=no -o PermitRootLogin=prohibit-password -o PasswordAuthentication=no \\
  -o KbdInteractiveAuthentication=no -o AuthorizedKeysFile=/root/.ssh/authorized_keys -o AllowAgentForwarding=no -o X11Forwarding=no
`;

export interface GatewayPodOptions {
  readonly attempt: Attempt;
  readonly labels: Labels;
  readonly image: string;
  /** Every node has GPUs and says so with a taint: there is nowhere else to be. */
  readonly amongGpus: boolean;
}

export function gatewayPod({ attempt, labels, image, amongGpus }: GatewayPodOptions): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: attempt.cloudName,
      labels: { ...labels },
      annotations: { [REGION]: attempt.offer.region },
    },
    spec: {
      // What was put into a container is gone with it: the server makes another pod.
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: GRACE_SECONDS,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containers: [
        {
          name: 'gateway',
          image,
          command: ['/bin/sh', '-c', START],
          env: [{ name: KEYS, value: attempt.authorizedKeys.join('\n') }],
          ports: PORTS.map(({ port }) => ({ containerPort: port, protocol: 'TCP' })),
          securityContext: { runAsUser: 0, runAsGroup: 0 },
          resources: { requests: { cpu: '100m', memory: '256Mi' } },
        },
      ],
      tolerations: amongGpus ? [...gpuTolerations('nvidia'), ...gpuTolerations('amd')] : [],
    },
  };
}

const PORTS = [
  { name: 'ssh', port: 22 },
  { name: 'http', port: 80 },
  { name: 'https', port: 443 },
] as const;

/** What gives it an address outside of the cluster. */
export function gatewayService({ cloudName }: Pick<Attempt, 'cloudName'>, labels: Labels): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: cloudName, labels: { ...labels } },
    spec: {
      type: 'LoadBalancer',
      selector: { [INSTANCE]: cloudName },
      ports: PORTS.map(({ name, port }) => ({ name, port, targetPort: port, protocol: 'TCP' })),
    },
  };
}

export function gatewayLabels(attempt: Attempt, warn: (dropped: string) => void): Labels {
  const { cloudName, owner, token, project, instanceName, tags } = attempt;
  const own = {
    ...baseLabels(GATEWAY, cloudName, owner),
    [TOKEN]: token,
    'k8s.dstack.ai/project': project,
    'k8s.dstack.ai/name': instanceName,
  };
  return withTags(tags, own, warn);
}
