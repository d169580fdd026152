import type { SqlCondition } from './keyset.js';

/** No name is longer, so nothing can contain more; SQLite refuses patterns beyond 50,000 bytes. */
const LONGEST_NAME = 200;

/** Case-insensitive "contains"; `_` and `%` in the text stand for themselves. Null matches everything. */
export function likeContains(column: string, text: string | null): SqlCondition {
  if (text === null || text === '') return { sql: '1 = 1', params: [] };
  if (text.length > LONGEST_NAME) return { sql: '1 = 0', params: [] };
  const escaped = text.toLowerCase().replace(/[\\%_]/g, (character) => `\\${character}`);
  return { sql: `lower(${column}) LIKE ? ESCAPE '\\'`, params: [`%${escaped}%`] };
}
