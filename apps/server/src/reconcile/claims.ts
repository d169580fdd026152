import type { Instant } from '@dstack/core';
import type { ReadTx, SqlValue, WriteTx } from '../persistence/transaction.js';
import type { ReconciledTable } from './reconciled-table.js';

export const LEASE_MS = 30_000;

export interface Claim {
  readonly id: string;
  readonly leaseToken: number;
}

interface ClaimOptions {
  readonly table: ReconciledTable;
  readonly holder: string;
  readonly limit: number;
  readonly now: Instant;
  readonly filter?: { readonly sql: string; readonly params: readonly SqlValue[] } | undefined;
}

/** Due rows without a live lease, oldest first: two servers never get the same row. */
export function claimDue(tx: WriteTx, options: ClaimOptions): Promise<Claim[]> {
  return tx.dialect === 'postgres' ? claimBesideOthers(tx, options) : claimAlone(tx, options);
}

/** In one statement that passes over rows that others are claiming. */
async function claimBesideOthers(tx: WriteTx, options: ClaimOptions): Promise<Claim[]> {
  const { table, holder, now } = options;
  const due = selectDue(options, 't.id');
  const rows = await tx.query<{ id: string; lease_token: number }>(
    `UPDATE ${table} SET lease_token = lease_token + 1, lease_expires_at = ?, lease_holder = ?
     WHERE id IN (${due.sql} FOR NO KEY UPDATE SKIP LOCKED) RETURNING id, lease_token`,
    [now + LEASE_MS, holder, ...due.params],
  );
  return rows.map((row) => ({ id: row.id, leaseToken: Number(row.lease_token) }));
}

/** SQLite has one writer at a time. To look costs it a thirtieth of an UPDATE that finds nothing, and most of the time nothing is due. */
async function claimAlone(tx: WriteTx, options: ClaimOptions): Promise<Claim[]> {
  const { table, holder, now } = options;
  const due = selectDue(options, 't.id, t.lease_token');
  const rows = await tx.query<{ id: string; lease_token: number }>(due.sql, due.params);
  for (const { id } of rows)
    await tx.execute(
      `UPDATE ${table} SET lease_token = lease_token + 1, lease_expires_at = ?, lease_holder = ? WHERE id = ?`,
      [now + LEASE_MS, holder, id],
    );
  return rows.map((row) => ({ id: row.id, leaseToken: Number(row.lease_token) + 1 }));
}

function selectDue(
  { table, limit, now, filter }: ClaimOptions,
  columns: string,
): { readonly sql: string; readonly params: readonly SqlValue[] } {
  return {
    sql: `SELECT ${columns} FROM ${table} t
       WHERE t.next_due_at <= ? AND (t.lease_expires_at IS NULL OR t.lease_expires_at <= ?)
       ${filter === undefined ? '' : `AND (${filter.sql})`}
       ORDER BY t.next_due_at LIMIT ?`,
    params: [now, now, ...(filter?.params ?? []), limit],
  };
}

export async function renewLease(tx: WriteTx, table: ReconciledTable, claim: Claim, now: Instant): Promise<boolean> {
  const renewed = await tx.execute(
    // One that was given back keeps its token, and must not come to life again.
    `UPDATE ${table} SET lease_expires_at = ? WHERE id = ? AND lease_token = ? AND lease_holder IS NOT NULL`,
    [now + LEASE_MS, claim.id, claim.leaseToken],
  );
  return renewed === 1;
}

/** Gives the row back at once, to be observed again by whoever comes first; unless it was given back by a commit whose answer was lost. */
export async function releaseLease(
  tx: WriteTx,
  table: ReconciledTable,
  claim: Claim,
  dueAt: Instant | null,
): Promise<void> {
  await tx.execute(
    `UPDATE ${table} SET lease_expires_at = NULL, lease_holder = NULL, next_due_at = CAST(? AS bigint)
     WHERE id = ? AND lease_token = ? AND lease_holder IS NOT NULL`,
    [dueAt, claim.id, claim.leaseToken],
  );
}

/** Only for a server that is alone by construction: the leases of its former life are dead. */
export async function dropAllLeases(tx: WriteTx, table: ReconciledTable): Promise<void> {
  await tx.execute(
    `UPDATE ${table} SET lease_expires_at = NULL, lease_holder = NULL, lease_token = lease_token + 1
     WHERE lease_expires_at IS NOT NULL`,
  );
}

/**
 * When the next row without a live lease comes due, after a claim. What is due already and was not claimed is locked by a commit that goes
 * on – nobody tells when it is over – or it is more than were asked for.
 */
export async function nextDue(
  tx: ReadTx,
  { table, now, filter }: Pick<ClaimOptions, 'table' | 'now' | 'filter'>,
): Promise<Instant | null> {
  const [row] = await tx.query<{ due: number | null }>(
    `SELECT MIN(t.next_due_at) AS due FROM ${table} t WHERE t.next_due_at IS NOT NULL AND (t.lease_expires_at IS NULL OR t.lease_expires_at <= ?)
       ${filter === undefined ? '' : `AND (${filter.sql})`}`,
    [now, ...(filter?.params ?? [])],
  );
  return row?.due === undefined || row.due === null ? null : Number(row.due);
}
