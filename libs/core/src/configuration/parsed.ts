import type { ConfigurationIssue } from './issue.js';

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly ConfigurationIssue[] };
