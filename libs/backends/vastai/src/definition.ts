import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

const configSchema = z.object({
  type: z.literal('vastai'),
  /** `us-california`. Null: everywhere. */
  regions: z.array(z.string().min(1)).nullish(),
  /** False: hosts in data centers only. */
  community_cloud: z.boolean().nullish(),
  creds: z.object({ type: z.literal('api_key').default('api_key'), api_key: z.string().min(1) }),
});

export type VastaiConfig = z.infer<typeof configSchema>;

export const vastaiDefinition: BackendDefinition<VastaiConfig> = {
  type: 'vastai',
  title: 'Vast.ai',
  summary: 'Containers on GPUs that others rent out at Vast.ai, on demand or by bid; needs an API key.',
  example: 'type: vastai\ncreds:\n  type: api_key\n  api_key: …',
  configSchema,
  capabilities: { ...NO_CAPABILITIES, kind: 'containers', runtimes: ['container'] },
  ordersOffers: true,
  // Labels are not unique and there is no token: only the list tells. Nothing is documented of how late it is.
  idempotency: { kind: 'lookup', listLagMs: 60_000 },
  maxNameLength: 60,
  // Hosts are at home connections, too: pulling a large image counts.
  provisioningTimeoutMs: () => 20 * 60_000,
};
