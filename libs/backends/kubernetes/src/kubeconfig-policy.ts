import type { KubeContext } from './kubeconfig.js';

/**
 * What a kubeconfig that somebody sent must not ask of the server: to run a program or to read a file of its machine. Whoever may edit
 * the server's own configuration file may do both anyway.
 */
export function forbiddenOfSenders({ name, cluster, user }: KubeContext): readonly string[] {
  const files = [
    ...given(cluster, ['certificate-authority']),
    ...given(user, ['client-certificate', 'client-key', 'tokenFile']),
  ];
  const programs = given(user, ['exec', 'auth-provider']);
  return [
    ...files.map((field) => `context ${name} reads a file of the server (${field}): ${inlineInstead(field)}`),
    ...programs.map(
      (field) =>
        `context ${name} runs a program on the server (${field}): use a token or a client certificate, or configure the backend in the server's configuration file`,
    ),
  ];
}

/** What this client cannot do, whoever wrote it. */
export function unsupported({ name, cluster, user }: KubeContext): readonly string[] {
  return [
    ...(user['auth-provider'] === undefined
      ? []
      : [`context ${name} uses auth-provider, which Kubernetes has removed: use exec instead`]),
    ...(cluster['proxy-url'] === undefined ? [] : [`context ${name} uses proxy-url, which is not supported`]),
  ];
}

function inlineInstead(field: string): string {
  return field === 'tokenFile'
    ? 'give token instead'
    : `give ${field}-data instead (kubectl config view --raw --flatten)`;
}

function given<T extends object>(object: T, fields: readonly (keyof T & string)[]): string[] {
  return fields.filter((field) => object[field] !== undefined);
}
