import { type BackendDefinition, type BackendModule, NO_CAPABILITIES } from '@dstack/backend-base';
import { BackendNotInstalledError, BackendRegistry } from '@dstack/server/parts';
import { z } from 'zod';
import type { ServerEpoch } from '../servers/server-epoch.js';
import type { CloudAccount, SimulatedCloud } from './simulated-cloud.js';

const NO_CONFIGURATION = { title: 'A simulated cloud', summary: 'A simulated cloud.', example: '' };

/** The simulated clouds as installed backends, for one life of a server. */
export class SimulatedBackends extends BackendRegistry {
  constructor(
    private readonly clouds: readonly SimulatedCloud[],
    private readonly server: ServerEpoch,
  ) {
    super();
  }

  override async definition(type: string): Promise<BackendDefinition> {
    const cloud = this.cloud(type);
    return {
      ...NO_CONFIGURATION,
      type: cloud.type,
      configSchema: z.object({
        type: z.literal(type),
        regions: z.array(z.string()),
        creds: z.object({ key: z.string() }),
      }),
      capabilities: {
        ...NO_CAPABILITIES,
        kind: cloud.kind,
        runtimes: ['container', 'process'],
        networkVolumes: cloud.kind === 'hosts',
        gateways: cloud.kind === 'hosts',
        groupProvisioning: cloud.makesGroups,
      },
      idempotency: cloud.idempotency,
      maxNameLength: 60,
      provisioningTimeoutMs: () => 180_000,
    };
  }

  override async module(type: string): Promise<BackendModule> {
    const cloud = this.cloud(type);
    // What the schema above has let through.
    return { open: async (config) => cloud.for(this.server, config as CloudAccount) };
  }

  private cloud(type: string): SimulatedCloud {
    const found = this.clouds.find((cloud) => cloud.type === type);
    if (found === undefined) throw new BackendNotInstalledError(type);
    return found;
  }
}
