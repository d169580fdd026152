import { backendHas } from '../offers/backend-features.js';
import type { InternalBackendType } from '../wire/internal-values.js';

/** @param backends what the service may run on; none: whatever there is. Null: a gateway may reach its replicas */
export function whyOutOfReach(gateway: string, backends: readonly InternalBackendType[]): string | null {
  if (backends.length === 0 || backends.some(isReached)) return null;
  return (
    `Gateway ${gateway} reaches no replica on ${backends.join(', ')}. Set \`gateway: false\` to have the service at the address of the server, ` +
    'or let it run on a fleet of hosts or on a cloud'
  );
}

/** @param backends where the service could run, were it not for its gateway. A line for each that its plan leaves out */
export function leftOutForGateway(gateway: string, backends: readonly InternalBackendType[]): string[] {
  return backends
    .filter((backend) => !isReached(backend))
    .map((backend) => `${backend}: left out, as gateway ${gateway} reaches no replica there`);
}

function isReached(backend: InternalBackendType): boolean {
  return backendHas(backend, 'way-for-gateways');
}
