import type { BackendEnvironment } from '@dstack/backend-base';
import { ClientSecretToken } from './client-secret.js';
import type { AzureConfig } from './definition.js';
import type { TokenCredential } from './token-credential.js';

const AUTHORITY = 'https://login.microsoftonline.com';

/** Who asks, for what subscription, and where. */
export interface AzureAccess {
  readonly subscriptionId: string;
  readonly credential: TokenCredential;
  /** Never shown. Null: there is none here. */
  readonly secret: string | null;
  readonly endpoint: string | null;
  readonly environment: Pick<BackendEnvironment, 'now' | 'random' | 'sleep'>;
}

export async function accessOf(
  { creds, tenant_id: tenantId, subscription_id: subscriptionId }: AzureConfig,
  environment: BackendEnvironment,
): Promise<AzureAccess> {
  const { endpoint } = environment;
  const shared = { subscriptionId, endpoint, environment };
  if (creds.type === 'default') {
    // Environment, workload or managed identity, command line: many ways, so their library knows them.
    const { DefaultAzureCredential } = await import('@azure/identity');
    return { ...shared, credential: new DefaultAzureCredential({ tenantId }), secret: null };
  }
  const { client_id: clientId, client_secret: clientSecret } = creds;
  const given = { tenantId: creds.tenant_id ?? tenantId, clientId, clientSecret };
  return {
    ...shared,
    credential: new ClientSecretToken(given, endpoint ?? AUTHORITY, environment),
    secret: clientSecret,
  };
}
