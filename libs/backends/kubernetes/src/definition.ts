import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

/** How the jump pod of a cluster is reached. Both are optional, and neither needs the other. */
const proxyJump = z.object({
  hostname: z.string().min(1).nullish(),
  port: z.int().min(1, 'is a port').max(65_535, 'is a port').nullish(),
});

const contextObject = z.object({ name: z.string().min(1), proxy_jump: proxyJump.nullish() });

const kubeconfig = z.object({
  /** Where the server read it, if it stood in its configuration file: what files in it are relative to. */
  filename: z.string().nullish(),
  data: z.string('is the text of a kubeconfig').min(1, 'is the text of a kubeconfig'),
});

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const configSchema = z
  .object({
    type: z.literal('kubernetes'),
    kubeconfig,
    /** Each is a region. */
    contexts: z
      .array(z.union([z.string().min(1), contextObject]))
      .min(1, 'name at least one')
      .nullish(),
    /** Only without contexts. */
    namespace: z.string().regex(DNS_LABEL, 'is not the name of a namespace').nullish(),
    /** Only without contexts. */
    proxy_jump: proxyJump.nullish(),
  })
  .superRefine(({ contexts, namespace, proxy_jump }, context) => {
    const complain = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if (!contexts) return;
    if (namespace) complain(['namespace'], 'excludes contexts: each context of the kubeconfig names its own');
    if (proxy_jump) complain(['proxy_jump'], 'excludes contexts: each context takes its own');
    const names = contexts.map((item) => (typeof item === 'string' ? item : item.name));
    names.forEach((name, index) => {
      if (names.indexOf(name) < index) complain(['contexts', index], `${name} is there twice`);
    });
  });

export type KubernetesConfig = z.infer<typeof configSchema>;
export type ProxyJump = z.infer<typeof proxyJump>;

export const kubernetesDefinition: BackendDefinition<KubernetesConfig> = {
  type: 'kubernetes',
  title: 'Kubernetes',
  summary: 'Pods of clusters that exist already; needs a kubeconfig.',
  example: 'type: kubernetes\nkubeconfig:\n  filename: ~/.kube/config\ncontexts:\n  - my-cluster',
  configSchema,
  capabilities: {
    ...NO_CAPABILITIES,
    kind: 'containers',
    runtimes: ['container'],
    multinode: true,
    privileged: true,
    networkVolumes: true,
    gateways: true,
  },
  // The name of a pod is unique in its namespace: the second of a name is refused.
  idempotency: { kind: 'name' },
  maxNameLength: 63,
  // Large images are pulled by the node.
  provisioningTimeoutMs: () => 20 * 60_000,
};
