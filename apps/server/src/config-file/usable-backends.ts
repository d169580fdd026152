import type { CredentialRules } from '../backends/ambient-credentials.js';
import { checkBackendConfig } from '../backends/backend-config.js';
import { BackendNotInstalledError, type BackendRegistry } from '../backends/backend-registry.js';
import type { BackendConfig } from '../backends/backend-store.js';
import { ClientError } from '../http/api-errors.js';
import type { ConfigFile } from './config-file.js';
import { readCredentialFiles } from './credential-files.js';

export interface JudgedBackends {
  readonly usable: readonly BackendConfig[];
  /** Why each of the others cannot be used. */
  readonly problems: readonly string[];
}

/** Which backends of a project a start takes. One that cannot be used keeps neither the others nor the server down. */
export async function usableBackends(
  { name, backends }: ConfigFile['projects'][number],
  registry: Pick<BackendRegistry, 'definition'>,
  rules: CredentialRules,
): Promise<JudgedBackends> {
  const usable: BackendConfig[] = [];
  const problems: string[] = [];
  for (const backend of backends) {
    try {
      const definition = await registry.definition(backend.type);
      usable.push(checkBackendConfig(definition, await readCredentialFiles(backend), rules));
    } catch (error) {
      if (!(error instanceof ClientError) && !(error instanceof BackendNotInstalledError)) throw error;
      problems.push(`Project ${name}: ${error.message}`);
    }
  }
  return { usable, problems };
}
