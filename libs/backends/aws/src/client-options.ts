import { agents } from './agents.js';
import type { AwsAccess } from './client.js';

/** How every service of AWS is asked. @param requestTimeout in ms; the default of the SDK has no limit at all */
export function clientOptions(
  region: string,
  { credentials, endpoint }: Pick<AwsAccess, 'credentials' | 'endpoint'>,
  requestTimeout = 60_000,
) {
  return {
    region,
    ...(credentials === null ? {} : { credentials }),
    ...(endpoint === null ? {} : { endpoint }),
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 5_000, requestTimeout, ...agents() },
  };
}
