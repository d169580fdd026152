import { BackendError, type BackendModule, type Call, type ConfigIssue, isBackendError } from '@dstack/backend-base';
import { type ApiKey, ApiKeyError, readApiKey } from './api-key.js';
import { Oci } from './client.js';
import { type OciConfig, REGIONS } from './definition.js';
import { ociCode } from './errors.js';
import { OciCompute } from './oci-compute.js';
import type { RegionSubscription } from './schema.js';
import { SignedRest } from './signed-rest.js';

const VALIDATE_MS = 15_000;

export const ociModule: BackendModule<OciConfig> = {
  async validate(config, environment, signal) {
    let apiKey: ApiKey;
    try {
      apiKey = await readApiKey(config);
    } catch (error) {
      if (!(error instanceof ApiKeyError)) throw error;
      return [{ path: error.path, message: error.message }];
    }
    const rest = new SignedRest({ apiKey, endpoint: environment.endpoint, environment });
    const client = new Oci(rest, apiKey.region);
    const call = { signal, deadline: environment.now() + VALIDATE_MS };
    try {
      const issues = regionIssues(config, await client.regionSubscriptions(apiKey.tenancy, call));
      return [...issues, ...(await compartmentIssues(config, client, call))];
    } catch (error) {
      const refused = isBackendError(error) ? refusedFields(config, error) : null;
      if (refused === null || !isBackendError(error)) throw error;
      return refused.map((path) => ({ path, message: error.message }));
    }
  },

  async open(config, environment) {
    try {
      const apiKey = await readApiKey(config);
      const rest = new SignedRest({ apiKey, endpoint: environment.endpoint, environment });
      return new OciCompute({ config, apiKey, rest, environment });
    } catch (error) {
      if (!(error instanceof ApiKeyError)) throw error;
      const text = `${error.path.join('.')}: ${error.message}`;
      throw new BackendError({ kind: 'credentials', blocks: 'account' }, text, { cause: error });
    }
  },
};

/** Where the mistake may be; null: the error is none of the credentials'. */
function refusedFields({ creds }: OciConfig, error: BackendError): string[][] | null {
  const isUnknown = ociCode(error) === 'NotAuthorizedOrNotFound';
  if (!isUnknown && error.failure.kind !== 'credentials') return null;
  if (creds.type === 'default') return [['creds']];
  if (isUnknown) return [['creds', 'tenancy']];
  return [['creds', 'user'], ['creds', 'fingerprint'], ['creds', creds.key_file ? 'key_file' : 'key_content']]; // prettier-ignore
}

function regionIssues({ regions }: OciConfig, subscriptions: readonly RegionSubscription[]): ConfigIssue[] {
  const ready = subscriptions.filter(({ status }) => status === 'READY').map(({ regionName }) => regionName);
  const list = ready.join(', ');
  if (regions)
    return regions.flatMap((region, index) =>
      ready.includes(region)
        ? []
        : [{ path: ['regions', index], message: `the tenancy is not subscribed to ${region}, but to ${list}` }],
    );
  if (ready.some((region) => REGIONS.includes(region))) return [];
  const text = `none of the tenancy's regions (${list}) can be used; those that can are ${REGIONS.join(', ')}`;
  return [{ path: ['regions'], message: text }];
}

async function compartmentIssues({ compartment_id: id }: OciConfig, client: Oci, call: Call): Promise<ConfigIssue[]> {
  if (!id) return [];
  const path = ['compartment_id'];
  try {
    const { lifecycleState: state } = await client.compartment(id, call);
    return state === 'ACTIVE' ? [] : [{ path, message: `the compartment is ${state}` }];
  } catch (error) {
    if (!isBackendError(error) || error.failure.kind !== 'not-found') throw error;
    return [{ path, message: error.message }];
  }
}
