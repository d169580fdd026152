import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import {
  type BackendEnvironment,
  type BackendModule,
  BackendError,
  type ConfigIssue,
  isBackendError,
} from '@dstack/backend-base';
import { KubernetesClient } from './client.js';
import { Cluster } from './cluster.js';
import { ClusterAccess } from './cluster-access.js';
import { type ConfiguredContext, configuredContexts } from './contexts.js';
import type { KubernetesConfig } from './definition.js';
import { KubeconfigError, parseKubeconfig } from './kubeconfig.js';
import { forbiddenOfSenders, unsupported } from './kubeconfig-policy.js';
import { KubernetesCompute } from './kubernetes-compute.js';

const VALIDATE_LIMIT_MS = 10_000;
const NOWHERE = '/';

/** What only this backend needs to open. */
export interface KubernetesExtras {
  /** An image whose `/agent` is the agent's folder; absent: containers fetch the agent. */
  readonly agentImage?: string | null;
  /** An image for the pods of gateways, with an SSH server and nginx; absent: one that fetches both. */
  readonly gatewayImage?: string | null;
}

export const kubernetesModule: BackendModule<KubernetesConfig, KubernetesExtras> = {
  /** For configurations that somebody sends. That of the server's own file may run programs and read files, and is not checked here. */
  async validate(config, environment, signal) {
    const contexts = readContexts(config);
    if ('issue' in contexts) return [contexts.issue];
    const refused = contexts.found.flatMap(({ context }) => [...forbiddenOfSenders(context), ...unsupported(context)]);
    if (refused.length > 0) return refused.map((message) => ({ path: ['kubeconfig', 'data'], message }));
    const issues = await Promise.all(contexts.found.map((one) => check(one, environment, signal)));
    return issues.flat();
  },

  async open(config, environment) {
    const contexts = readContexts(config);
    const directory = directoryOf(config);
    if ('issue' in contexts) throw refusal(`${contexts.issue.path.join('.')}: ${contexts.issue.message}`);
    const [cannot] = contexts.found.flatMap(({ context }) => unsupported(context));
    if (cannot !== undefined) throw refusal(cannot);
    const accesses: ClusterAccess[] = [];
    const clusters = await Promise.all(
      contexts.found.map(async (one) => {
        const access = new ClusterAccess(one.context, directory, environment.now);
        accesses.push(access);
        const client = await clientOf(one, access, environment);
        return new Cluster({ region: one.region, client, proxyJump: one.proxyJump, environment });
      }),
    );
    const { agentImage = null, gatewayImage = null } = environment;
    const close = (): void => accesses.forEach((access) => access.close());
    return new KubernetesCompute({ clusters, agentImage, gatewayImage, environment, close });
  },
};

type Contexts = { readonly found: readonly ConfiguredContext[] } | { readonly issue: ConfigIssue };

function readContexts(config: KubernetesConfig): Contexts {
  try {
    return { found: configuredContexts(config, parseKubeconfig(config.kubeconfig.data)) };
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    return { issue: { path: ['kubeconfig'], message: `the kubeconfig ${error.message}` } };
  }
}

/** A cluster that refuses us is a problem of its field; one that cannot be reached is told by name. */
async function check(
  one: ConfiguredContext,
  environment: BackendEnvironment,
  signal: AbortSignal,
): Promise<ConfigIssue[]> {
  const access = new ClusterAccess(one.context, NOWHERE, environment.now);
  try {
    const client = await clientOf(one, access, environment);
    const call = { signal, deadline: environment.now() + VALIDATE_LIMIT_MS };
    await client.version(call);
    await client.nodes(call);
    return [];
  } catch (error) {
    if (!isBackendError(error)) throw error;
    return [{ path: ['kubeconfig'], message: `context ${one.context.name}: ${error.message}` }];
  } finally {
    access.close();
  }
}

function clientOf(
  one: ConfiguredContext,
  access: ClusterAccess,
  environment: BackendEnvironment,
): Promise<KubernetesClient> {
  const { context, namespace } = one;
  return KubernetesClient.open({ server: context.cluster.server, namespace, access, environment });
}

/** What relative files of a kubeconfig are relative to, as kubectl has it. */
function directoryOf({ kubeconfig: { filename } }: KubernetesConfig): string {
  return filename ? dirname(resolve(filename.replace(/^~(?=\/)/, homedir()))) : NOWHERE;
}

function refusal(message: string): BackendError {
  return new BackendError({ kind: 'credentials', blocks: 'account' }, message);
}
