import type { z } from 'zod';
import { type ConfigurationIssue, firstIssues } from '../issue.js';
import type { Parsed } from '../parsed.js';

/** Deeper values are refused before anything recurses into them. */
const maxDepth = 64;
const maxValues = 50_000;
/** Messages quote what was written; a person does not read more of it. */
const maxMessage = 300;

/** Validates an already parsed value. Never throws for what the value is. */
export function runSchema<T>(schema: z.ZodType<T>, value: unknown): Parsed<T> {
  const excess = findExcess(value);
  if (excess !== undefined) return { ok: false, issues: [{ kind: 'schema', path: [], message: excess }] };
  const result = schema.safeParse(value);
  return result.success
    ? { ok: true, value: result.data }
    : { ok: false, issues: firstIssues(result.error.issues.map(toIssue)) };
}

function toIssue(issue: z.core.$ZodIssue): ConfigurationIssue {
  const params: Readonly<Record<string, unknown>> = issue.code === 'custom' ? (issue.params ?? {}) : {};
  const { expected, suggestion, unknownKey } = params;
  return {
    kind: 'schema',
    path: issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
    message: issue.message.length <= maxMessage ? issue.message : `${issue.message.slice(0, maxMessage)}…`,
    ...(typeof expected === 'string' ? { expected } : {}),
    ...(typeof suggestion === 'string' ? { suggestion } : {}),
    ...(unknownKey === true ? { unknownKey } : {}),
  };
}

/** Counts a value that is referred to several times as often as it is read. */
function findExcess(value: unknown): string | undefined {
  let values = 0;
  const visit = (current: unknown, depth: number): string | undefined => {
    if (++values > maxValues) return `has more than ${maxValues} values`;
    if (typeof current !== 'object' || current === null) return undefined;
    if (depth === maxDepth) return `is nested more than ${maxDepth} levels deep`;
    for (const child of Object.values(current)) {
      const excess = visit(child, depth + 1);
      if (excess !== undefined) return excess;
    }
    return undefined;
  };
  return visit(value, 0);
}
