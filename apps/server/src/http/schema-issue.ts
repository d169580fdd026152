/** One item of a 422 reply. */
export interface SchemaIssue {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

export type Checked = { readonly value: unknown } | { readonly issues: readonly SchemaIssue[] };

export type Location = readonly (string | number)[];

export function issue(
  type: string,
  loc: Location,
  msg: string,
  input: unknown,
  ctx?: Readonly<Record<string, unknown>>,
): Checked {
  return { issues: [{ type, loc, msg, input, ...(ctx === undefined ? {} : { ctx }) }] };
}

/** Nobody reads more. A request of megabytes must not make a reply of gigabytes. */
export const MOST_ISSUES = 100;
const MOST_ITEMS = 20;
const LONGEST_TEXT = 500;
const DEEPEST = 4;

/** The first issues, each with as much of its input as finds the place again. */
export function tellable(issues: readonly SchemaIssue[]): SchemaIssue[] {
  return issues
    .slice(0, MOST_ISSUES)
    .map((found) => ({ ...found, msg: cutText(found.msg), input: cut(found.input, 0) }));
}

function cut(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cutText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEEPEST) return '…';
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item: unknown) => cut(item, depth + 1));
  const fields: [string, unknown][] = [];
  // Not `Object.entries`: it would list millions to keep a few.
  for (const key in value) {
    if (fields.length === MOST_ITEMS) break;
    if (Object.hasOwn(value, key)) fields.push([cutText(key), cut((value as Record<string, unknown>)[key], depth + 1)]);
  }
  return Object.fromEntries(fields);
}

function cutText(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}
