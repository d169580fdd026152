import type { OperationId } from '../../src/http/contract.js';
import { SERVICE_OPERATIONS } from '../../src/services/proxy/proxy-routes.js';

export interface Proof {
  /** Beside `contract.spec.ts`. */
  readonly spec: string;
  /** Stands in it where the operation is asked for. */
  readonly by: string;
}

const each = (ids: readonly OperationId[], proof: Proof): Partial<Record<OperationId, Proof>> =>
  Object.fromEntries(ids.map((id) => [id, proof]));

/** Operations of the contract that need a provider, a job that runs, a replica, or answer with a page or with text. */
export const PROVEN_ELSEWHERE: Readonly<Partial<Record<OperationId, Proof>>> = {
  ...each(SERVICE_OPERATIONS, {
    spec: 'service-proxy.spec.ts',
    by: 'it.each(SERVICE_OPERATIONS.map(contractOperation))',
  }),
  proxy_models_models: { spec: 'service-proxy.spec.ts', by: "asked('/proxy/models/main/models'" },
  proxy_models_chat_completions: { spec: 'service-proxy.spec.ts', by: "asked('/proxy/models/main/chat/completions'" },
  auth_get_next_redirect: { spec: 'sign-in.spec.ts', by: "open('/api/auth/get_next_redirect'" },
  auth_authorize: { spec: 'sign-in.spec.ts', by: "open('/api/auth/corp/authorize'" },
  auth_callback: { spec: 'sign-in.spec.ts', by: "open('/api/auth/corp/callback'" },
  sshproxy_get_upstream: { spec: 'ssh-upstream.spec.ts', by: "server.post('/api/sshproxy/get_upstream'" },
  metrics: { spec: 'prometheus.spec.ts', by: "server.call('GET', '/metrics'" },
  root: { spec: 'http.spec.ts', by: "server.call('GET', '/'" },
};
