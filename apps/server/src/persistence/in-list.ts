import type { SqlValue } from './transaction.js';

/** `column IN (?, …)`; an empty list matches nothing. */
export function inList<Value extends SqlValue>(
  column: string,
  values: readonly Value[],
): { readonly sql: string; readonly params: readonly Value[] } {
  if (values.length === 0) return { sql: '1 = 0', params: [] };
  return { sql: `${column} IN (${values.map(() => '?').join(', ')})`, params: values };
}
