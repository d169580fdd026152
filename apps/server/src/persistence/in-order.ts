import type { Dialect } from './transaction.js';

/**
 * A condition on rows that are about to be changed. On Postgres they are locked in the order of their ids, as everywhere: two that change many
 * of the same rows never wait for each other. SQLite has one writer.
 */
export function inOrder(dialect: Dialect, table: string, where: string): string {
  return dialect === 'postgres'
    ? `id IN (SELECT id FROM ${table} WHERE ${where} ORDER BY id FOR NO KEY UPDATE)`
    : where;
}

/** After ORDER BY or nothing: rows that are read to be changed. */
export function lockInOrder(dialect: Dialect): string {
  return dialect === 'postgres' ? ' ORDER BY id FOR NO KEY UPDATE' : '';
}
