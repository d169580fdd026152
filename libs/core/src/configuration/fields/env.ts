import { z } from 'zod';
import { byKind } from '../schema/choice.js';
import { forward } from '../schema/forward.js';
import { describeInput } from '../schema/json-schema.js';
import { describe, kindOf } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { defaulted } from '../schema/presence.js';
import { readText, text } from '../schema/scalars.js';

/** The value is taken from the environment of whoever applies the configuration. */
export interface EnvSentinel {
  key: string;
}

export type EnvMap = Record<string, string | EnvSentinel>;

const itemPattern = /^([a-zA-Z_][a-zA-Z0-9_]*)(?:=(.*))?$/;

/** A list of `KEY=value` and `KEY`, or a mapping; leaves as a mapping. */
export function env(): z.ZodType<EnvMap> {
  return defaulted(byKind('a list of KEY=value or a mapping', { list: envList(), mapping: envMapping() }), () => ({}));
}

function envList(): z.ZodType<EnvMap> {
  const schema = z.unknown().transform((value, context): EnvMap => {
    const items: unknown[] = Array.isArray(value) ? value : [];
    const entries = new Map<string, string | EnvSentinel>();
    items.forEach((item, index) => {
      const entry = forward(envItem, item, context, [index]);
      if (entry === undefined) return;
      if (entries.has(entry.key)) {
        context.issues.push({
          code: 'custom',
          message: `duplicate environment variable ${entry.key}`,
          input: item,
          path: [index],
        });
      }
      entries.set(entry.key, entry.value);
    });
    return Object.fromEntries(entries);
  });
  return describeInput(schema, () => ({
    type: 'array',
    items: { type: ['string', 'number'], pattern: '^[a-zA-Z_][a-zA-Z0-9_]*(=.*)?$' },
  }));
}

const envItem = leaf({}, (value) => {
  const written = readText(value);
  const [, key, assigned] = itemPattern.exec(written) ?? [];
  if (key === undefined || key === '__proto__') {
    // The value may be a secret: only the part before `=` is shown.
    const shown = written.split('=', 1)[0] ?? '';
    if (/^[a-zA-Z_][a-zA-Z0-9_]*=[^]*[\n\r]/.test(written))
      throw new Mismatch(`the value of ${shown} has a line break: use the mapping form`, { expected: 'KEY: value' });
    throw new Mismatch(`${describe(shown)} is not an environment variable name: expected KEY=value or KEY`, {
      expected: 'KEY=value or KEY',
    });
  }
  return { key, value: assigned ?? { key } };
});

const envText = leaf({ type: ['string', 'number'] }, (value) => {
  const kind = kindOf(value);
  // Never the value itself: it may be a secret.
  if (kind !== 'text' && kind !== 'number')
    throw new Mismatch(
      `expected text, got ${kind === 'boolean' ? `${String(value)} (quote it to mean the text)` : 'nothing'}`,
      { expected: 'text' },
    );
  return readText(value);
});

function envMapping(): z.ZodType<EnvMap> {
  const item = byKind('text', { text: envText, number: envText, mapping: mapping({ key: text({ minLength: 1 }) }) });
  const schema = z.unknown().transform((value, context): EnvMap => {
    const entries: [string, string | EnvSentinel][] = [];
    for (const [key, written] of Object.entries(value as object)) {
      if (key === '' || key === '__proto__' || key.includes('=') || key.includes('\0')) {
        context.issues.push({
          code: 'custom',
          message: 'is not an environment variable name',
          input: key,
          path: [key],
        });
        continue;
      }
      const read = forward(item, written, context, [key]);
      if (read !== undefined) entries.push([key, read]);
    }
    return Object.fromEntries(entries);
  });
  return describeInput(schema, () => ({
    type: 'object',
    additionalProperties: {
      anyOf: [
        { type: ['string', 'number'] },
        { type: 'object', properties: { key: { type: 'string' } }, required: ['key'], additionalProperties: false },
      ],
    },
  }));
}
