import { execFile } from 'node:child_process';
import { BackendError } from '@dstack/backend-base';
import { z } from 'zod';
import type { ExecPlugin, KubeContext } from './kubeconfig.js';

const credential = z.object({
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.iso.datetime({ offset: true }).optional(),
  }),
});

export type PluginCredential = z.infer<typeof credential>['status'];

const LIMIT_MS = 30_000;

/** Asks a credential plugin (client.authentication.k8s.io), as kubectl does. @throws {BackendError} without what the program printed */
export async function askPlugin(
  plugin: ExecPlugin,
  { cluster }: KubeContext,
  signal: AbortSignal,
): Promise<PluginCredential> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(plugin.provideClusterInfo ? { cluster: clusterInfo(cluster) } : {}),
    },
  };
  const env = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  const output = await run(
    plugin.command,
    plugin.args ?? [],
    { ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    signal,
  );
  try {
    return credential.parse(JSON.parse(output)).status;
  } catch {
    throw refusal(`${plugin.command} printed no ExecCredential`);
  }
}

function clusterInfo(cluster: KubeContext['cluster']): object {
  return {
    server: cluster.server,
    'certificate-authority-data': cluster['certificate-authority-data'],
    'tls-server-name': cluster['tls-server-name'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
  };
}

function run(command: string, args: readonly string[], extra: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...extra };
    execFile(command, args, { env, signal, timeout: LIMIT_MS, maxBuffer: 2 ** 20 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (signal.aborted) reject(refusal(`${command} was stopped`));
      else reject(refusal(`${command} ended with ${String(error.code ?? error.signal)}`));
    });
  });
}

function refusal(message: string): BackendError {
  return new BackendError(
    { kind: 'credentials', blocks: 'region' },
    `the credential plugin of the kubeconfig failed: ${message}`,
  );
}
