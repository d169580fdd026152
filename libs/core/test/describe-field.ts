import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { runSchema } from '../src/configuration/schema/run-schema.js';

export type Row = readonly [written: unknown, read: unknown];
export type Refusal = readonly [written: unknown, message: string];

/** What a field of the configuration language takes, and what it says to the rest. */
export function describeField(
  name: string,
  schema: z.ZodType,
  accepted: readonly Row[],
  refused: readonly Refusal[],
): void {
  describe(name, () => {
    it.each(accepted)('%j is %j', (written, value) => {
      expect(runSchema(schema, written)).toEqual({ ok: true, value });
    });
    it.each(refused)('%j is refused: %s', (written, message) => {
      const parsed = runSchema(schema, written);
      expect(parsed.ok ? parsed : parsed.issues.map((issue) => issue.message).join('\n')).toContain(message);
    });
  });
}
