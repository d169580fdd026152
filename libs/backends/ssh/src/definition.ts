import { NO_CAPABILITIES, type BackendDefinition } from '@dstack/backend-base';
import { z } from 'zod';

const configSchema = z.strictObject({ type: z.literal('remote') });

export type SshConfig = z.infer<typeof configSchema>;

/** Known to clients as `remote`. There is nothing to configure: the hosts are those that fleets with `ssh_config` name. */
export const sshDefinition: BackendDefinition<SshConfig> = {
  type: 'remote',
  title: 'Hosts of your own',
  summary: 'Runs jobs on hosts that are reached over SSH; they are named by fleets with `ssh_config`.',
  example: 'type: fleet\nssh_config:\n  user: ubuntu\n  identity_file: ~/.ssh/id_ed25519\n  hosts: [10.0.0.11]',
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
  maxNameLength: 60,
  provisioningTimeoutMs: () => 10 * 60_000,
};
