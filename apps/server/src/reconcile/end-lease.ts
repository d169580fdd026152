import type { Instant } from '@dstack/core';
import { arrayLiteral } from '../persistence/any-of.js';
import type { WriteTx } from '../persistence/transaction.js';
import { type Claim, releaseLease } from './claims.js';
import type { RowState } from './hold-still.js';
import { ofEachTable, type ReconciledTable } from './reconciled-table.js';

/** Somebody else changed the row, or what the decision about it rested on: nothing is written, it is observed again. */
export class RowLostError extends Error {
  override readonly name = 'RowLostError';
}

interface CommitOwn {
  readonly claim: Claim;
  readonly observed: RowState;
  readonly dueAt: Instant | null;
  readonly moved: boolean;
  readonly now: Instant;
}

/**
 * Ends the lease. A wake-up that arrived since the observation makes the row due at once, whatever was decided. Written when all else is,
 * for all rows of the transaction; each is fenced by its own lease and revision, and one that is not ours any more takes all back.
 * @throws {RowLostError} in the transaction's `beforeCommit`
 */
export function commitOwnRow(tx: WriteTx, table: ReconciledTable, own: CommitOwn): void {
  const known = ownRows[table].get(tx);
  if (known !== undefined) {
    known.push(own);
    return;
  }
  const rows = [own];
  ownRows[table].set(tx, rows);
  tx.beforeCommit(async () => {
    const changed = await (tx.dialect === 'postgres' ? commitManyRows : commitEachRow)(tx, table, rows);
    if (changed < rows.length) throw new RowLostError();
  });
}

const ownRows = ofEachTable(() => new WeakMap<WriteTx, CommitOwn[]>());

async function commitEachRow(tx: WriteTx, table: ReconciledTable, rows: readonly CommitOwn[]): Promise<number> {
  let changed = 0;
  for (const row of rows)
    changed += await tx.execute(
      `UPDATE ${table} SET lease_expires_at = NULL, lease_holder = NULL, rev = rev + ?,
         next_due_at = CASE WHEN wake_seq = ? THEN CAST(? AS bigint) ELSE CAST(? AS bigint) END
       WHERE id = ? AND lease_token = ? AND rev = ?`,
      [
        row.moved ? 1 : 0,
        row.observed.wakeSeq,
        row.dueAt,
        row.now,
        row.claim.id,
        row.claim.leaseToken,
        row.observed.rev,
      ],
    );
  return changed;
}

async function commitManyRows(tx: WriteTx, table: ReconciledTable, rows: readonly CommitOwn[]): Promise<number> {
  const column = (value: (row: CommitOwn) => string | number | null): string => arrayLiteral(rows.map(value));
  return tx.execute(
    `UPDATE ${table} t SET lease_expires_at = NULL, lease_holder = NULL, rev = t.rev + c.moved,
       next_due_at = CASE WHEN t.wake_seq = c.wake_seq THEN c.due_at ELSE c.now END
     FROM unnest(CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]),
            CAST(? AS bigint[])) AS c (id, lease_token, rev, wake_seq, due_at, now, moved)
     WHERE t.id = c.id AND t.lease_token = c.lease_token AND t.rev = c.rev`,
    [
      column((row) => row.claim.id),
      column((row) => row.claim.leaseToken),
      column((row) => row.observed.rev),
      column((row) => row.observed.wakeSeq),
      column((row) => row.dueAt),
      column((row) => row.now),
      column((row) => (row.moved ? 1 : 0)),
    ],
  );
}

/** As `releaseLease`, of many rows that are due at the same time; when all else is written. */
export function giveBack(tx: WriteTx, table: ReconciledTable, claim: Claim, dueAt: Instant): void {
  const known = givenBack[table].get(tx);
  if (known !== undefined) {
    known.push(claim);
    return;
  }
  const claims = [claim];
  givenBack[table].set(tx, claims);
  tx.beforeCommit(async () => {
    if (tx.dialect === 'sqlite' || claims.length === 1)
      for (const each of claims) await releaseLease(tx, table, each, dueAt);
    else
      await tx.execute(
        `UPDATE ${table} t SET lease_expires_at = NULL, lease_holder = NULL, next_due_at = CAST(? AS bigint)
         FROM unnest(CAST(? AS text[]), CAST(? AS bigint[])) AS c (id, lease_token)
         WHERE t.id = c.id AND t.lease_token = c.lease_token AND t.lease_holder IS NOT NULL`,
        [dueAt, arrayLiteral(claims.map(({ id }) => id)), arrayLiteral(claims.map(({ leaseToken }) => leaseToken))],
      );
  });
}

const givenBack = ofEachTable(() => new WeakMap<WriteTx, Claim[]>());
