import { type ConfigurationIssue, formatIssue } from './issue.js';

const brand = Symbol.for('dstack.ConfigurationError');

/** An issue and where it is written; without a file when the value did not come from one. */
export interface LocatedIssue extends ConfigurationIssue {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly issues: readonly LocatedIssue[];
  readonly #source: string | undefined;

  constructor(issues: readonly LocatedIssue[], source?: string) {
    super(issues.map(headline).join('\n'));
    this.issues = issues;
    this.#source = source;
    Object.defineProperty(this, brand, { value: true });
  }

  /** True for errors of another copy of this package too. */
  static is(error: unknown): error is ConfigurationError {
    return error instanceof Error && brand in error;
  }

  /** For people: each issue with the line it is on. */
  override toString(): string {
    const lines = this.#source?.split('\n') ?? [];
    return this.issues.map((issue) => [headline(issue), ...excerpt(issue, lines)].join('\n')).join('\n');
  }
}

function headline(issue: LocatedIssue): string {
  const place = [issue.file, issue.line, issue.column].filter((part) => part !== undefined).join(':');
  return place === '' ? formatIssue(issue) : `${place}: ${formatIssue(issue)}`;
}

/** The source line with a mark under the column. Long lines are cut; values of secrets are not shown. */
function excerpt({ line, column, path }: LocatedIssue, lines: readonly string[]): string[] {
  if (line === undefined || column === undefined || path.some((part) => secretFields.has(String(part)))) return [];
  const text = lines[line - 1]?.replaceAll('\t', ' ').replace(/\r$/, '');
  if (text === undefined || text.trim() === '') return [];
  const start = Math.max(0, column - 60);
  const gutter = `${line} | `;
  return [`  ${gutter}${text.slice(start, start + 100)}`, `  ${' '.repeat(gutter.length + column - 1 - start)}^`];
}

const secretFields: ReadonlySet<string> = new Set(['env', 'registry_auth', 'ssh_key', 'headers']);
