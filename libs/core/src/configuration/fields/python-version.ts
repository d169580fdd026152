import type { z } from 'zod';
import { PYTHON_VERSIONS } from '../../wire/enums.js';
import type * as Wire from '../../wire/generated/api.js';
import { closestName } from '../schema/closest-name.js';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { Mismatch } from '../schema/mismatch.js';
import { readText } from '../schema/scalars.js';

/** YAML reads an unquoted 3.10 as the number 3.1; there is no other version it could mean. */
export function pythonVersion(): z.ZodType<Wire.PythonVersion> {
  return leaf({ enum: [...PYTHON_VERSIONS, 3.9, 3.1, 3.11, 3.12, 3.13, 3.14] }, (value) => {
    const written = readText(value);
    const wanted = typeof value !== 'string' && written === '3.1' ? '3.10' : written;
    const found = PYTHON_VERSIONS.find((version) => version === wanted);
    const expected = `one of ${PYTHON_VERSIONS.join(', ')}`;
    if (found === undefined)
      throw new Mismatch(`unsupported Python version ${describe(written)}: expected ${expected}`, {
        expected,
        suggestion: closestName(written, PYTHON_VERSIONS),
      });
    return found;
  });
}
