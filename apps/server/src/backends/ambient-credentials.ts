import type { BackendConfig } from './backend-store.js';

export interface CredentialRules {
  /** Backends may use what this machine may do: its role, its files, its variables. */
  readonly ambientCredentials: boolean;
}

/** Null: it brings credentials of its own, or may do without. */
export function whyNoAmbientCredentials(config: BackendConfig, rules: CredentialRules): string | null {
  if (rules.ambientCredentials || !isDefault(config['creds'])) return null;
  return (
    `Backend ${config.type}: this server gives no backend its own credentials (DSTACK_DEFAULT_CREDS_DISABLED). ` +
    'Put credentials into `creds` instead of `type: default`'
  );
}

function isDefault(creds: unknown): boolean {
  return typeof creds === 'object' && creds !== null && 'type' in creds && creds.type === 'default';
}
