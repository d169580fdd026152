import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';

const cluster = z.object({
  server: z.url({ protocol: /^https?$/ }),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});

const execPlugin = z.object({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().optional(),
});

const user = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  exec: execPlugin.optional(),
  'auth-provider': z.object({ name: z.string() }).optional(),
});

const context = z.object({ cluster: z.string(), user: z.string().optional(), namespace: z.string().optional() });

const named = <Name extends string, T extends z.ZodType>(name: Name, value: T) =>
  z.array(z.object({ name: z.string(), [name]: value } as { name: z.ZodString } & Record<Name, T>)).default([]);

const schema = z.object({
  'current-context': z.string().nullish(),
  clusters: named('cluster', cluster),
  contexts: named('context', context),
  users: named('user', user),
});

export type Kubeconfig = z.infer<typeof schema>;
export type KubeUser = z.infer<typeof user>;
export type ExecPlugin = z.infer<typeof execPlugin>;

/** One context: where its cluster is, and as whom it is spoken to. */
export interface KubeContext {
  readonly name: string;
  readonly namespace: string | null;
  readonly cluster: z.infer<typeof cluster>;
  readonly user: KubeUser;
}

/** The text is no kubeconfig, or lacks what is asked of it. The message never shows a value. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

/** @throws {KubeconfigError} */
export function parseKubeconfig(text: string): Kubeconfig {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    throw new KubeconfigError(`is not YAML${line === undefined ? '' : ` in line ${line}`}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new KubeconfigError(`is not a kubeconfig${where}: ${issue?.message ?? 'unreadable'}`);
}

/** @param name null: the current context. @throws {KubeconfigError} */
export function contextOf(kubeconfig: Kubeconfig, name: string | null): KubeContext {
  const wanted = name ?? kubeconfig['current-context'] ?? '';
  if (wanted === '') throw new KubeconfigError('has no current-context: name the contexts to use under contexts');
  const found = kubeconfig.contexts.find((entry) => entry.name === wanted)?.context;
  if (found === undefined) {
    const known = kubeconfig.contexts.map((entry) => entry.name).join(', ') || 'none';
    throw new KubeconfigError(`has no context ${wanted}: it has ${known}`);
  }
  const itsCluster = kubeconfig.clusters.find((entry) => entry.name === found.cluster)?.cluster;
  if (itsCluster === undefined) throw new KubeconfigError(`has no cluster ${found.cluster}, which ${wanted} names`);
  const itsUser = found.user === undefined ? {} : kubeconfig.users.find((entry) => entry.name === found.user)?.user;
  if (itsUser === undefined) throw new KubeconfigError(`has no user ${found.user}, whom ${wanted} names`);
  return { name: wanted, namespace: found.namespace ?? null, cluster: itsCluster, user: itsUser };
}
