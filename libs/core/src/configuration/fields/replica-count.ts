import { z } from 'zod';
import { countRange } from '../../resources/resources-schema.js';

/** How many replicas; an open lower end means none at least. */
export function replicaCount(): z.ZodType<{ min: number; max: number }> {
  return countRange().transform(({ min, max }, context): { min: number; max: number } => {
    if (max === null) {
      context.issues.push({
        code: 'custom',
        message: 'the maximum number of replicas is required',
        input: min,
        params: { expected: 'a number or a range with an upper end, like 0..4' },
      });
      return z.NEVER;
    }
    return { min: min ?? 0, max };
  });
}
