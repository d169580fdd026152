import type { SqlValue } from './transaction.js';
import type { SqlCondition } from './keyset.js';

/** `column IN (?, …)`; an empty list matches nothing. */
export function inList(column: string, values: readonly SqlValue[]): SqlCondition {
  if (values.length === 0) return { sql: '1 = 0', params: [] };
  return { sql: `${column} IN (${values.map(() => '?').join(', ')})`, params: values };
}
