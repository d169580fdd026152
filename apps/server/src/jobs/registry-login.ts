import type { Wire } from '@dstack/core';
import { interpolateSecrets } from './interpolate-secrets.js';

/** The server's own, for the registry that images without one come from. */
export interface RegistryLogin {
  /** Host, and path where there is one. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
}

/**
 * Who pulls the image of a job: as its configuration says, else as the server was told for that registry; null: anybody.
 * @throws {UnknownSecretError}
 */
export function registryAuthOf(
  { image_name, registry_auth }: Pick<Wire.JobSpec, 'image_name' | 'registry_auth'>,
  secrets: ReadonlyMap<string, string>,
  own: RegistryLogin | null,
): RegistryAuth | null {
  if (registry_auth)
    return {
      username: interpolateSecrets(registry_auth.username, secrets),
      password: interpolateSecrets(registry_auth.password, secrets),
    };
  if (own === null || !image_name.startsWith(`${own.registry.replace(/\/+$/, '')}/`)) return null;
  return { username: own.username, password: own.password };
}
