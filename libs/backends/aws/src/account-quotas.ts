import { paginateListServiceQuotas, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import type { Call } from '@dstack/backend-base';
import { agents } from './agents.js';
import type { AwsAccess } from './client.js';
import type { Quotas } from './quotas.js';

/** The limits that AWS has set for the account in a region; null where it does not say, which is no reason to offer nothing. */
export async function accountQuotas(region: string, access: AwsAccess, { signal }: Call): Promise<Quotas | null> {
  const client = new ServiceQuotasClient({
    region,
    ...(access.credentials === null ? {} : { credentials: access.credentials }),
    ...(access.endpoint === null ? {} : { endpoint: access.endpoint }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, ...agents() },
  });
  try {
    const quotas = new Map<string, number>();
    const pages = paginateListServiceQuotas({ client }, { ServiceCode: 'ec2' }, { abortSignal: signal });
    for await (const { Quotas: page } of pages) {
      for (const { QuotaCode, Value } of page ?? []) {
        if (QuotaCode !== undefined && Value !== undefined) quotas.set(QuotaCode, Value);
      }
    }
    return quotas;
  } catch {
    return null;
  } finally {
    client.destroy();
  }
}
