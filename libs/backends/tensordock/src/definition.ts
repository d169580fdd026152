import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

const configSchema = z.object({
  type: z.literal('tensordock'),
  /** Countries and cities as offers show them; null: all. */
  regions: z.array(z.string().min(1)).nullish(),
  creds: z.object({
    type: z.literal('api_key').default('api_key'),
    /** Of the API that is no more; kept so that configurations stay valid. */
    api_key: z.string().min(1),
    api_token: z.string().min(1),
  }),
});

export type TensorDockConfig = z.infer<typeof configSchema>;

export const tensordockDefinition: BackendDefinition<TensorDockConfig> = {
  type: 'tensordock',
  title: 'TensorDock (experimental)',
  summary: 'Machines with GPUs of a marketplace, through its API v2; needs an API token.',
  example: 'type: tensordock\ncreds:\n  type: api_key\n  api_key: …\n  api_token: …',
  configSchema,
  capabilities: { ...NO_CAPABILITIES, kind: 'hosts', runtimes: ['container', 'process'] },
  // Names are not unique and there is no token: only the list tells. Nothing is documented of how late it is.
  idempotency: { kind: 'lookup', listLagMs: 60_000 },
  // Nine more mark the owner.
  maxNameLength: 50,
  provisioningTimeoutMs: () => 20 * 60_000,
};
