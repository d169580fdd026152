import { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { parseCount } from '../../resources/count.js';
import { parseRange } from '../../resources/range.js';
import { byKind } from '../schema/choice.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { optional } from '../schema/presence.js';
import { integer, readText } from '../schema/scalars.js';

/** `target` leaves only where it differs from `min`. */
export function fleetNodes(): z.ZodType<Wire.FleetNodesSpec> {
  const short = leaf({ anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] }, (value): Wire.FleetNodesSpec => {
    const { min, max } = parseRange(readText(value), parseCount);
    return { min: min ?? 0, max };
  });
  const full = mapping({
    min: optional(integer({ min: 0 })),
    target: optional(integer()),
    max: optional(integer()),
  }).transform(({ min: least, target: wanted, max }, context): Wire.FleetNodesSpec => {
    const min = least ?? 0;
    const target = wanted ?? min;
    const reject = (path: string, message: string): never => {
      context.issues.push({ code: 'custom', message, input: target, path: [path] });
      return z.NEVER;
    };
    if (target < min) return reject('target', `must not be less than min (${min}), is ${target}`);
    if (max !== null && max < min) return reject('max', `must not be less than min (${min}), is ${max}`);
    if (max !== null && target > max) return reject('target', `must not be greater than max (${max}), is ${target}`);
    return target === min ? { min, max } : { min, target, max };
  });
  return byKind('a number of nodes or a range like 0..4', { text: short, number: short, mapping: full });
}
