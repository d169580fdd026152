import type { Caller } from '../auth/caller.js';
import type { SqlCondition } from '../persistence/keyset.js';
import type { SqlValue } from '../persistence/transaction.js';

/** Selects the ids of the projects whose things a list shows: those the caller is a member of, or some of them. */
export function projectsOf(caller: Caller, names: readonly string[] | null): SqlCondition {
  const conditions = ['deleted = false'];
  const params: SqlValue[] = [];
  if (caller.globalRole !== 'admin') {
    conditions.push('id IN (SELECT project_id FROM members WHERE user_id = ?)');
    params.push(caller.id);
  }
  if (names !== null) {
    conditions.push(names.length === 0 ? '1 = 0' : `name IN (${names.map(() => '?').join(', ')})`);
    params.push(...names);
  }
  return { sql: `SELECT id FROM projects WHERE ${conditions.join(' AND ')}`, params };
}

export function either(a: SqlCondition, b: SqlCondition): SqlCondition {
  return { sql: `(${a.sql} OR ${b.sql})`, params: [...a.params, ...b.params] };
}
