import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

const configSchema = z.object({
  type: z.literal('lambda'),
  /** Null: all. */
  regions: z.array(z.string().min(1)).nullish(),
  creds: z.object({ type: z.literal('api_key').default('api_key'), api_key: z.string().min(1) }),
});

export type LambdaConfig = z.infer<typeof configSchema>;

export const lambdaDefinition: BackendDefinition<LambdaConfig> = {
  type: 'lambda',
  title: 'Lambda',
  summary: 'On-demand machines with GPUs of Lambda Cloud; needs an API key.',
  example: 'type: lambda\ncreds:\n  type: api_key\n  api_key: …',
  configSchema,
  capabilities: {
    ...NO_CAPABILITIES,
    kind: 'hosts',
    runtimes: ['container', 'process'],
    privileged: true,
    instanceVolumes: true,
  },
  // Names are not unique and there is no token: only the list tells. Nothing is documented of how late it is.
  idempotency: { kind: 'lookup', listLagMs: 60_000 },
  maxNameLength: 60,
  // Eight GPUs take up to 15 minutes.
  provisioningTimeoutMs: () => 30 * 60_000,
};
