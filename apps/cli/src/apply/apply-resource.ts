import type { Configuration } from '@dstack/core';
import type { Dstack } from '@dstack/sdk';
import { CliError } from '../errors/cli-error.js';
import type { CliContext } from '../terminal/context.js';
import type { ConfigurationText } from './configuration-file.js';

export interface ApplyResource<C = Configuration> {
  readonly configuration: C;
  readonly source: ConfigurationText;
  readonly flags: {
    readonly yes: boolean;
    readonly force: boolean;
    readonly detach: boolean;
    readonly 'dry-run': boolean;
  };
  readonly signal: AbortSignal;
  readonly json: boolean;
}

/** Applies a configuration that is not a run. */
export async function applyResource(client: Dstack, context: CliContext, resource: ApplyResource): Promise<unknown> {
  const { configuration } = resource;
  switch (configuration.type) {
    case 'fleet':
      return (await import('./apply-fleet.js')).applyFleet(client, context, { ...resource, configuration });
    case 'volume':
      return (await import('./apply-volume.js')).applyVolume(client, context, { ...resource, configuration });
    case 'gateway':
      return (await import('./apply-gateway.js')).applyGateway(client, context, { ...resource, configuration });
    default:
      throw new CliError(`Configurations of type ${configuration.type ?? 'unknown'} cannot be applied.`, {
        hint: 'Types: task, dev-environment, service, fleet, volume, gateway.',
      });
  }
}
