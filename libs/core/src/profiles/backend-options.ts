import { z } from 'zod';
import { byKey } from '../configuration/schema/choice.js';
import { mapping } from '../configuration/schema/mapping.js';
import { listOf, optional } from '../configuration/schema/presence.js';
import { decimal, integer, oneOf } from '../configuration/schema/scalars.js';
import type * as Wire from '../wire/generated/api.js';

/** Options of single backends, at most one set a backend. */
export function backendOptions(): z.ZodType<Wire.VastAIProfileOptions[]> {
  const vastai = mapping({
    type: oneOf(['vastai']),
    offer_order: optional(oneOf(['score', 'price'])),
    min_reliability: optional(decimal({ min: 0, max: 1 })),
    min_score: optional(integer({ min: 0 })),
  });
  return listOf(byKey('type', { vastai })).transform((options, context): Wire.VastAIProfileOptions[] => {
    options.forEach(({ type }, index) => {
      if (options.findIndex((other) => other.type === type) === index) return;
      context.issues.push({
        code: 'custom',
        message: `duplicate options for the backend ${type}`,
        input: type,
        path: [index, 'type'],
      });
    });
    return options;
  });
}
