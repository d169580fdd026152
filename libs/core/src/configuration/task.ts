import type { z } from 'zod';
import { defaultResources, resourcesSchema } from '../resources/resources-schema.js';
import type * as Wire from '../wire/generated/api.js';
import { groupName } from './fields/group-name.js';
import { portMapping } from './fields/port.js';
import { lines, runFields } from './fields/run-fields.js';
import { mapping } from './schema/mapping.js';
import { defaulted, listOf, optional } from './schema/presence.js';
import { integer, oneOf } from './schema/scalars.js';

export function taskSchema(): z.ZodType<Wire.TaskConfiguration> {
  const group = mapping({
    name: optional(groupName()),
    nodes: defaulted(integer({ min: 1 }), () => 1),
    resources: defaulted(resourcesSchema(), defaultResources),
    commands: lines(),
    ports: ports(),
  });
  const groups = listOf(group, { min: 1 }).transform((list) =>
    list.map((item, index) => ({ ...item, name: item.name ?? String(index) })),
  );
  return mapping({
    nodes: optional(integer({ min: 1 })),
    groups: optional(groups),
    ports: ports(),
    commands: lines(),
    type: oneOf(['task']),
    ...runFields(),
  });
}

const ports = () => defaulted(listOf(portMapping()), () => []);
