import { UsageError } from '../errors/cli-error.js';
import { parseDuration } from './duration.js';

const RFC3339 = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/i;

/** The time of `--since`: a duration back from now, or RFC 3339 with offset. */
export function parseSince(text: string, nowMs: number): number {
  const seconds = parseDuration(text);
  if (seconds !== undefined) return nowMs - seconds * 1000;
  const at = RFC3339.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new UsageError(
    `--since ${text} is neither a duration nor a time with offset.`,
    'Examples: --since 5m, --since 2026-08-14T10:00:00Z',
  );
}
