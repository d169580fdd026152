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
