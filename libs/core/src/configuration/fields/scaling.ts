import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { defaulted, optional } from '../schema/presence.js';
import { decimal, oneOf } from '../schema/scalars.js';
import { duration, parseDuration } from './duration.js';

const windows = [30, 60, 300];

export function scaling(): z.ZodType<Wire.ScalingSpec> {
  const window = leaf({ anyOf: [{ enum: windows }, { type: 'string' }] }, (value) => {
    const seconds = parseDuration(value);
    if (!windows.includes(seconds))
      throw new Mismatch(`must be one of 30s, 1m, 5m, is ${seconds} s`, { expected: 'one of 30s, 1m, 5m' });
    return seconds;
  });
  return mapping({
    metric: oneOf(['rps']),
    target: decimal({ above: 0 }),
    window: optional(window),
    scale_up_delay: defaulted(duration({ minSeconds: 0 }), () => 300),
    scale_down_delay: defaulted(duration({ minSeconds: 0 }), () => 600),
  });
}
