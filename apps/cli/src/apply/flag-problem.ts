import { UsageError } from '../errors/cli-error.js';
import type { RunFlagValues } from './run-flags.js';

/** Options that stand in the place of a field of another name. */
const OPTION_OF: Readonly<Record<string, string>> = {
  backends: 'backend',
  regions: 'region',
  instance_types: 'instance-type',
  fleets: 'fleet',
  retry: 'retry-duration',
  ports: 'port',
};

interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What is wrong with an option is told by its name: it stands in no file that could be mended. Null: it is no option's. Pure. */
export function flagProblem([issue]: readonly Issue[], flags: RunFlagValues): UsageError | null {
  if (issue === undefined) return null;
  const [top, below] = issue.path.map(String);
  const field = top === 'resources' ? below : top;
  if (field === undefined) return null;
  const option = OPTION_OF[field] ?? field.replaceAll('_', '-');
  const given = new Map<string, unknown>(Object.entries(flags)).get(option);
  if (given === undefined || (Array.isArray(given) && given.length === 0)) return null;
  return new UsageError(`--${option}: ${issue.message}`, 'See the options: dstack apply --help');
}
