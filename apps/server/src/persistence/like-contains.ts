import type { SqlCondition } from './keyset.js';

/** Case-insensitive "contains"; `_` and `%` in the text stand for themselves. Null matches everything. */
export function likeContains(column: string, text: string | null): SqlCondition {
  if (text === null || text === '') return { sql: '1 = 1', params: [] };
  const escaped = text.toLowerCase().replace(/[\\%_]/g, (character) => `\\${character}`);
  return { sql: `lower(${column}) LIKE ? ESCAPE '\\'`, params: [`%${escaped}%`] };
}
