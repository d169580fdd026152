import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { byKind } from '../schema/choice.js';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { optional } from '../schema/presence.js';
import { readText, text } from '../schema/scalars.js';

type EntityReference = Required<Wire.EntityReference>;

/** `name` in this project, or `project/name`. */
export function parseEntityReference(written: string): EntityReference {
  const parts = written.split('/');
  const expected = '"name" or "project/name"';
  if (parts.length > 2 || parts.some((part) => part.trim() === ''))
    throw new Mismatch(`invalid reference ${describe(written)}: expected ${expected}`, { expected });
  const [first = '', second] = parts;
  return second === undefined ? { project: null, name: first } : { project: first, name: second };
}

export function entityReference(): z.ZodType<EntityReference> {
  const short = leaf({ type: ['string', 'number'], pattern: '^[^/]+(/[^/]+)?$' }, (value) =>
    parseEntityReference(readText(value)),
  );
  const full = mapping({ project: optional(text({ minLength: 1 })), name: text({ minLength: 1 }) });
  return byKind('"name" or "project/name"', { text: short, number: short, mapping: full });
}
