import { NO_CAPABILITIES, type BackendDefinition } from '@dstack/backend-base';
import { z } from 'zod';

const configSchema = z.strictObject({
  type: z.literal('local'),
  /** What jobs may run as; `auto` decides per configuration. */
  runtime: z.enum(['auto', 'container', 'process']).default('auto'),
});

export type LocalConfig = z.infer<typeof configSchema>;

export const localDefinition: BackendDefinition<LocalConfig> = {
  type: 'local',
  title: 'This machine',
  summary:
    'Runs jobs on the machine of the server, in containers or as plain processes; costs nothing and needs no account.',
  example: 'type: local',
  configSchema,
  capabilities: {
    ...NO_CAPABILITIES,
    kind: 'hosts',
    runtimes: ['container', 'process'],
    multinode: true,
    privileged: true,
    instanceVolumes: true,
    powerOffStopsBilling: true,
  },
  idempotency: { kind: 'name' },
  // What creates it is the server itself.
  createArrivesMs: 0,
  // A Unix socket path holds 107 bytes, and the agent's socket lies below the server directory and this name.
  maxNameLength: 40,
  provisioningTimeoutMs: () => 60_000,
};
