import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

export const CUDO_IS_CLOSED = 'CUDO closed its public cloud on 2026-03-31: remove this backend from your configuration';

/** As it was, so that a configuration that still has it is read. */
const configSchema = z.object({
  type: z.literal('cudo'),
  project_id: z.string().min(1),
  regions: z.array(z.string().min(1)).nullish(),
  creds: z.object({ type: z.literal('api_key').default('api_key'), api_key: z.string().min(1) }),
});

export type CudoConfig = z.infer<typeof configSchema>;

export const cudoDefinition: BackendDefinition<CudoConfig> = {
  type: 'cudo',
  title: 'CUDO Compute (closed)',
  summary: 'A cloud that has closed; its configuration is read, and nothing can be created there.',
  example: 'type: cudo\nproject_id: …\ncreds:\n  type: api_key\n  api_key: …',
  configSchema,
  capabilities: { ...NO_CAPABILITIES, kind: 'hosts', runtimes: ['container', 'process'] },
  idempotency: { kind: 'name' },
  maxNameLength: 30,
  provisioningTimeoutMs: () => 10 * 60_000,
};
