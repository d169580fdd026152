import type { z } from 'zod';
import { closestName } from '../schema/closest-name.js';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { Mismatch } from '../schema/mismatch.js';
import { readText } from '../schema/scalars.js';

const expected = 'sh, bash or an absolute path';

export function shell(): z.ZodType<string> {
  return leaf({ type: 'string', pattern: '^(sh|bash|/.*)$' }, (value) => {
    const written = readText(value);
    if (written === 'sh' || written === 'bash' || written.startsWith('/')) return written;
    throw new Mismatch(`invalid shell ${describe(written)}: expected ${expected}`, {
      expected,
      suggestion: closestName(written, ['sh', 'bash']),
    });
  });
}
