import { z } from 'zod';
import { spotPolicy } from '../../profiles/profile-parameters.js';
import { defaultResources, resourcesSchema } from '../../resources/resources-schema.js';
import type * as Wire from '../../wire/generated/api.js';
import { mapping } from '../schema/mapping.js';
import { defaulted, listOf, optional } from '../schema/presence.js';
import { flag, oneOf, text } from '../schema/scalars.js';
import { groupName } from './group-name.js';
import { pythonVersion } from './python-version.js';
import { replicaCount } from './replica-count.js';
import { lines } from './run-fields.js';
import { scaling } from './scaling.js';

/** Groups leave as the wire has them: `replicas` as `count`, names filled in. */
export function replicaGroups(): z.ZodType<Wire.ReplicaGroup[]> {
  return listOf(replicaGroup(), { min: 1 }).transform((groups) =>
    groups.map((group, index) => ({ ...group, name: group.name ?? String(index) })),
  );
}

function replicaGroup(): z.ZodType<Wire.ReplicaGroup> {
  const fields = mapping({
    name: optional(groupName()),
    scaling: optional(scaling()),
    resources: defaulted(resourcesSchema(), defaultResources),
    spot_policy: optional(spotPolicy()),
    reservation: optional(text()),
    commands: lines(),
    image: optional(text()),
    python: optional(pythonVersion()),
    nvcc: optional(flag()),
    docker: optional(flag()),
    privileged: optional(flag()),
    router: optional(mapping({ type: defaulted(oneOf(['sglang', 'dynamo']), () => 'sglang' as const) })),
    replicas: optional(replicaCount()),
    count: optional(replicaCount()),
  });
  return fields.transform(({ replicas, count, ...group }, context): Wire.ReplicaGroup => {
    if (replicas !== null && count !== null) {
      context.issues.push({
        code: 'custom',
        message: 'is the older name of replicas: set only one of them',
        input: count,
        path: ['count'],
      });
    }
    const wanted = replicas ?? count;
    if (wanted === null) {
      context.issues.push({
        code: 'custom',
        message: 'is required: expected a number or a range like 0..4',
        input: undefined,
        path: ['replicas'],
      });
      return z.NEVER;
    }
    return { ...group, count: wanted };
  });
}
