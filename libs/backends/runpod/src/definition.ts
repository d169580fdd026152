import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

const configSchema = z.object({
  type: z.literal('runpod'),
  /** Data centers (`EU-RO-1`) and, of the community cloud, countries (`CA`). Null: all data centers. */
  regions: z.array(z.string().min(1)).nullish(),
  /** Machines of others, in the countries that `regions` names. */
  community_cloud: z.boolean().nullish(),
  creds: z.object({ type: z.literal('api_key').default('api_key'), api_key: z.string().min(1) }),
});

export type RunpodConfig = z.infer<typeof configSchema>;

export const runpodDefinition: BackendDefinition<RunpodConfig> = {
  type: 'runpod',
  title: 'RunPod',
  summary: 'Containers (pods) with GPUs or processors of RunPod; needs an API key that may read and write.',
  example: 'type: runpod\ncreds:\n  type: api_key\n  api_key: …',
  configSchema,
  capabilities: {
    ...NO_CAPABILITIES,
    kind: 'containers',
    runtimes: ['container'],
    // In clusters, which are made by one call.
    multinode: true,
    groupProvisioning: true,
    networkVolumes: true,
  },
  // Names are not unique and there is no token: only the list tells. Nothing is documented of how late it is.
  idempotency: { kind: 'lookup', listLagMs: 60_000 },
  maxNameLength: 60,
  // Pulling a large image counts.
  provisioningTimeoutMs: () => 20 * 60_000,
};
