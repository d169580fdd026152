export type IssuePath = readonly (string | number)[];

/**
 * One thing wrong. `schema`: the value does not have the form its field takes (HTTP 422).
 * `semantic`: the form is right and the meaning is not (HTTP 400).
 */
export interface ConfigurationIssue {
  readonly kind: 'schema' | 'semantic';
  readonly path: IssuePath;
  readonly message: string;
  readonly expected?: string;
  /** What was probably meant. */
  readonly suggestion?: string;
  /** The key itself is the mistake, not its value. */
  readonly unknownKey?: true;
}

/** Nobody reads more, and a hostile value can make as many as it has bytes. */
const MOST_ISSUES = 100;

export function firstIssues(issues: readonly ConfigurationIssue[]): readonly ConfigurationIssue[] {
  return issues.slice(0, MOST_ISSUES);
}

export const schemaIssue = (path: IssuePath, message: string): ConfigurationIssue => ({
  kind: 'schema',
  path,
  message,
});
export const semanticIssue = (path: IssuePath, message: string): ConfigurationIssue => ({
  kind: 'semantic',
  path,
  message,
});

/** `groups.0.image`, or `(document)` for the whole. */
export function formatPath(path: IssuePath): string {
  return path.length === 0 ? '(document)' : path.join('.');
}

export function formatIssue(issue: ConfigurationIssue): string {
  const hint = issue.suggestion === undefined ? '' : `, did you mean ${issue.suggestion}?`;
  const place = issue.path.length === 0 ? '' : `${formatPath(issue.path)}: `;
  return `${place}${issue.message}${hint}`;
}
