import type { z } from 'zod';
import { placementParameters } from '../profiles/profile-parameters.js';
import { resourcesSchema } from '../resources/resources-schema.js';
import type * as Wire from '../wire/generated/api.js';
import { blocks } from './fields/blocks.js';
import { env } from './fields/env.js';
import { fleetNodes } from './fields/fleet-nodes.js';
import { sshConfig } from './fields/ssh-config.js';
import { mapping } from './schema/mapping.js';
import { defaulted, optional } from './schema/presence.js';
import { oneOf, text } from './schema/scalars.js';

export function fleetSchema(): z.ZodType<Wire.FleetConfiguration> {
  return mapping({
    type: oneOf(['fleet']),
    name: optional(text()),
    placement: optional(oneOf(['any', 'cluster'])),
    blocks: defaulted<'auto' | number>(blocks(), () => 1),
    nodes: optional(fleetNodes()),
    resources: optional(resourcesSchema()),
    ...placementParameters(),
    ssh_config: optional(sshConfig()),
    env: env(),
  });
}
