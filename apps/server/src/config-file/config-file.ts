import type { BackendConfig } from '../backends/backend-store.js';
import type { Key } from '../keys/keyring.js';
import type { DefaultPermissions } from '../settings/default-permissions.js';

/** `config.yml` of the server directory, as far as it is understood. */
export interface ConfigFile {
  readonly projects: readonly { readonly name: string; readonly backends: readonly BackendConfig[] }[];
  readonly encryptionKeys: readonly Key[];
  readonly permissions: DefaultPermissions;
  /** Names of modules with policies. */
  readonly plugins: readonly string[];
}

/** The file cannot be meant like this; says where. A server never starts on half of its configuration. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
}
