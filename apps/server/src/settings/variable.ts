interface Described {
  /** What it is for, as a phrase; Markdown. */
  readonly says: string;
  /** Of the default, where it is no value: what holds then. */
  readonly otherwise?: string;
  /** Not to be shown. */
  readonly secret?: true;
  /** Not of the original's. */
  readonly ours?: true;
  /** Absent: it does what it says. `because`: there is nothing for it to do here. */
  readonly state?: { readonly because: string };
}

/** An environment variable. A `flag` is on whenever it exists, even empty. */
export type Variable = Described &
  (
    | { readonly type: 'text'; readonly default?: string }
    | { readonly type: 'flag' }
    | { readonly type: 'integer' | 'number'; readonly default?: number }
    | { readonly type: 'choice'; readonly values: readonly string[]; readonly default: string }
  );
