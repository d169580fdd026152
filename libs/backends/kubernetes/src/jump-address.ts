import type { ProxyJump } from './definition.js';
import type { KubeNode, Pod, Service } from './schema.js';

export type JumpAddress =
  | { readonly state: 'reachable'; readonly host: string; readonly port: number }
  | { readonly state: 'waiting'; readonly reason: string }
  | { readonly state: 'impossible'; readonly message: string };

/** Where the jump pod is reached from outside the cluster. */
export function jumpAddress(
  pod: Pod,
  service: Service,
  { hostname }: ProxyJump,
  nodes: readonly KubeNode[],
): JumpAddress {
  const isReady = pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  if (pod.status.phase !== 'Running' || !isReady) {
    const waiting = pod.status.containerStatuses?.[0]?.state?.waiting;
    const why = waiting?.reason ? ` (${[waiting.reason, waiting.message].filter(Boolean).join(': ')})` : '';
    return { state: 'waiting', reason: `the jump pod ${pod.metadata.name} is starting${why}` };
  }
  const port = service.spec.ports?.[0]?.nodePort;
  if (!port) return { state: 'waiting', reason: `the service ${service.metadata.name} has no port yet` };
  const host = hostname ?? externalIp(pod, nodes);
  if (host !== null) return { state: 'reachable', host, port };
  return {
    state: 'impossible',
    message: `no node of the cluster has an external address to reach its pods by: set proxy_jump.hostname to a host that leads to port ${port} of its nodes`,
  };
}

/** Some clusters answer only on the node that has the pod, so it comes first. */
function externalIp({ spec }: Pod, nodes: readonly KubeNode[]): string | null {
  const own = nodes.filter(({ metadata }) => metadata.name === spec.nodeName);
  const addresses = [...own, ...nodes].flatMap(({ status }) => status.addresses);
  return addresses.find(({ type }) => type === 'ExternalIP')?.address ?? null;
}
