import type { QueryRunner } from 'typeorm';

/** The one column type whose name differs between the engines. */
export function blobType(q: QueryRunner): 'blob' | 'bytea' {
  return q.dataSource.options.type === 'postgres' ? 'bytea' : 'blob';
}

export async function run(q: QueryRunner, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await q.query(statement);
}

/** What the reconcile engine needs of a row: when it is due, who holds it, and how often it moved. */
export const RECONCILED_COLUMNS = `
  next_due_at bigint NULL,
  wake_seq integer NOT NULL DEFAULT 0,
  rev integer NOT NULL DEFAULT 0,
  lease_token bigint NOT NULL DEFAULT 0,
  lease_expires_at bigint NULL,
  lease_holder varchar(200) NULL`;

export function dueIndex(table: string): string {
  return `CREATE INDEX ix_${table}_due ON ${table} (next_due_at) WHERE next_due_at IS NOT NULL`;
}
