import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { defaulted, listOf, optional } from '../schema/presence.js';
import { flag, integer, oneOf, readText, text } from '../schema/scalars.js';
import { duration } from './duration.js';

export const probeMethods = ['get', 'post', 'put', 'delete', 'patch', 'head'] as const;

const url = leaf({ type: 'string', pattern: '^/', maxLength: 2048 }, (value) => {
  const read = readText(value);
  if (!read.startsWith('/')) throw new Mismatch('must start with /', { expected: 'a path starting with /' });
  if (read.length > 2048) throw new Mismatch(`must have at most 2048 characters, has ${read.length}`);
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(read))
    throw new Mismatch('must contain printable characters only', { expected: 'printable characters' });
  return read;
});

export function probe(): z.ZodType<Wire.ProbeConfig> {
  const header = mapping({
    name: text({ minLength: 1, maxLength: 256 }),
    value: text({ minLength: 1, maxLength: 2048 }),
  });
  return mapping({
    type: oneOf(['http']),
    url: optional(url),
    method: optional(oneOf(probeMethods)),
    headers: defaulted(listOf(header, { max: 16 }), () => []),
    body: optional(text({ minLength: 1, maxLength: 2048 })),
    timeout: optional(duration({ minSeconds: 1 })),
    interval: optional(duration({ minSeconds: 1 })),
    ready_after: optional(integer({ min: 1 })),
    until_ready: optional(flag()),
  });
}
