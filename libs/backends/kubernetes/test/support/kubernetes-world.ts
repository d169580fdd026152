import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Attempt, Call, Compute, OfferQuery } from '@dstack/backend-base';
import {
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testContainer,
  type TestEnvironment,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import {
  A100_NODE,
  CPU_NODE,
  type FakeNode,
  idlePods,
  KubernetesFake,
  type PodRunner,
  type Roles,
  type Rule,
} from '@dstack/cloud-fakes/kubernetes';
import { parseAllDocuments } from 'yaml';
import { kubernetesModule } from '../../src/compute.js';
import { type KubernetesConfig, kubernetesDefinition } from '../../src/index.js';

export { TEST_OWNER as OWNER, TEST_PUBLIC_KEY as PUBLIC_KEY } from '@dstack/backend-base/conformance';

export const TOKEN = 'secret-token';
export const CONTEXT = 'cluster-a';
export const NAMESPACE = 'dstack';

export interface KubernetesWorld extends ComputeOverAWire {
  readonly fake: KubernetesFake;
  readonly compute: Compute;
  readonly said: readonly string[];
}

export const call = (): Call => testCall(10_000);

/** Nobody waits longer than for the fake. */
export function environment(): TestEnvironment {
  const sleep: TestEnvironment['sleep'] = async (_ms, signal) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    signal.throwIfAborted();
  };
  return { ...testEnvironment(null), sleep };
}

/** The roles that the documentation tells to make. */
export function documentedRoles(): Roles {
  const file = new URL('../../../../../docs/backends/kubernetes-rbac.yaml', import.meta.url);
  const roles = parseAllDocuments(readFileSync(file, 'utf8')).map((one) => one.toJS() as unknown) as {
    kind: string;
    rules: Rule[];
  }[]; // the manifest's own shape
  const rulesOf = (kind: string): Rule[] => roles.find((role) => role.kind === kind)?.rules ?? [];
  return { cluster: rulesOf('ClusterRole'), namespaced: rulesOf('Role') };
}

export function kubeconfig(server: string, user: object = { token: TOKEN }, context = CONTEXT): string {
  return JSON.stringify({
    'current-context': context,
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: context, context: { cluster: 'c', user: 'u', namespace: NAMESPACE } }],
  });
}

export function configOf(server: string, extra: object = {}): KubernetesConfig {
  return kubernetesDefinition.configSchema.parse({
    type: 'kubernetes',
    kubeconfig: { data: kubeconfig(server) },
    contexts: [CONTEXT],
    ...extra,
  });
}

export interface WorldOptions {
  readonly nodes?: readonly FakeNode[];
  readonly runner?: PodRunner;
  readonly config?: object;
  readonly agentImage?: string | null;
}

export async function startKubernetesWorld(options: WorldOptions = {}): Promise<KubernetesWorld> {
  const { nodes = [CPU_NODE, A100_NODE], runner = idlePods(), config = {}, agentImage = 'registry.example/agent' } = options; // prettier-ignore
  const ownNodes = nodes.map((node) => ({ ...node }));
  const fake = await KubernetesFake.start({ token: TOKEN, roles: documentedRoles(), namespace: NAMESPACE, nodes: ownNodes, runner }); // prettier-ignore
  const world = environment();
  const compute = await kubernetesModule.open(configOf(fake.url, config), { ...world, agentImage });
  return {
    fake,
    compute,
    said: world.said,
    definition: kubernetesDefinition,
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async () => attemptOf(await compute.offers(SMALL, call())),
    exhaust: async () => ownNodes.forEach((node) => (node.unschedulable = true)),
    loseNextCreateReply: () => (fake.lostCreates += 1),
    close: async () => {
      await compute.close?.();
      await fake.close();
    },
  };
}

export const query = (resources: object = {}, over: Partial<OfferQuery> = {}): OfferQuery => ({
  requirements: { resources },
  fullOffers: false,
  unallocated: false,
  ...over,
});

const SMALL = query({ cpu: { count: { min: 1 } }, memory: { min: 0.25 }, disk: { size: { min: 1 } } });

export function attemptOf(offers: Awaited<ReturnType<Compute['offers']>>, over: Partial<Attempt> = {}): Attempt {
  const cloudName = `dstack-main-train-0-0-${randomUUID().slice(0, 8)}`;
  return someAttempt(offers[0], {
    cloudName,
    instanceName: 'train-0-0',
    zone: null,
    container: testContainer(),
    ...over,
  });
}
