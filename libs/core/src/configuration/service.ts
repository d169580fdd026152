import { z } from 'zod';
import type * as Wire from '../wire/generated/api.js';
import { entityReference } from './fields/entity-reference.js';
import { servicePort } from './fields/port.js';
import { probe } from './fields/probe.js';
import { rateLimit } from './fields/rate-limit.js';
import { replicaCount } from './fields/replica-count.js';
import { replicaGroups } from './fields/replica-group.js';
import { lines, runFields } from './fields/run-fields.js';
import { scaling } from './fields/scaling.js';
import { serviceModel } from './fields/service-model.js';
import { byKind } from './schema/choice.js';
import { mapping } from './schema/mapping.js';
import { defaulted, listOf, optional } from './schema/presence.js';
import { flag, oneOf } from './schema/scalars.js';
import { switchOr } from './fields/switch-or.js';

export function serviceSchema(): z.ZodType<Wire.ServiceConfiguration> {
  const count = replicaCount();
  const groups = replicaGroups();
  const yes = (): boolean => true;
  const fields = mapping({
    port: servicePort(),
    gateway: optional(gatewayReference()),
    strip_prefix: defaulted(flag(), yes),
    model: optional(serviceModel()),
    https: optional(switchOr(oneOf(['auto']))),
    auth: defaulted(flag(), yes),
    scaling: optional(scaling()),
    rate_limits: defaulted(listOf(rateLimit()), () => []),
    probes: optional(listOf(probe())),
    replicas: optional(
      byKind('a number, a range or a list of groups', { text: count, number: count, mapping: count, list: groups }),
    ),
    groups: optional(groups),
    commands: lines(),
    type: oneOf(['service']),
    ...runFields(),
  });
  return fields.transform(({ groups: named, ...service }, context): Wire.ServiceConfiguration => {
    if (named !== null && service.replicas !== null) {
      context.issues.push({
        code: 'custom',
        message: 'replicas and groups are mutually exclusive: give the replicas of each group',
        input: named,
        path: ['groups'],
      });
      return z.NEVER;
    }
    return { ...service, replicas: named ?? service.replicas };
  });
}

export function gatewayReference(): z.ZodType<boolean | Wire.EntityReference> {
  return switchOr(entityReference());
}
