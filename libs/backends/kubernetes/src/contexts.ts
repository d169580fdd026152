import type { KubernetesConfig, ProxyJump } from './definition.js';
import { contextOf, type Kubeconfig, type KubeContext } from './kubeconfig.js';

/** A cluster that is used: one region. */
export interface ConfiguredContext {
  /** The name of the context; empty where the configuration names none, as in the original. */
  readonly region: string;
  readonly context: KubeContext;
  readonly namespace: string;
  readonly proxyJump: ProxyJump;
  /** Of the field that names it, for problems. */
  readonly path: readonly (string | number)[];
}

const DEFAULT_NAMESPACE = 'default';

/** @throws {KubeconfigError} for a context that is not there */
export function configuredContexts(config: KubernetesConfig, kubeconfig: Kubeconfig): ConfiguredContext[] {
  if (!config.contexts) {
    const context = contextOf(kubeconfig, null);
    const namespace = config.namespace ?? DEFAULT_NAMESPACE;
    return [{ region: '', context, namespace, proxyJump: config.proxy_jump ?? {}, path: ['kubeconfig'] }];
  }
  return config.contexts.map((item, index) => {
    const { name, proxy_jump: proxyJump } = typeof item === 'string' ? { name: item, proxy_jump: null } : item;
    const context = contextOf(kubeconfig, name);
    const namespace = context.namespace ?? DEFAULT_NAMESPACE;
    return { region: name, context, namespace, proxyJump: proxyJump ?? {}, path: ['contexts', index] };
  });
}
