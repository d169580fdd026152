import type { Instant } from '@dstack/core';
import { arrayLiteral } from '../persistence/any-of.js';
import { lockInOrder } from '../persistence/in-order.js';
import { merged } from '../persistence/merged.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, SqlValue, WriteTx } from '../persistence/transaction.js';
import { ofEachTable, type ReconciledTable, type RestedOn } from './reconciled-table.js';

export const LEASE_MS = 30_000;

export interface Claim {
  readonly id: string;
  readonly leaseToken: number;
}

export interface RowState {
  readonly rev: number;
  readonly wakeSeq: number;
  readonly leaseToken: number;
}

/** Somebody else changed the row, or what the decision about it rested on: nothing is written, it is observed again. */
export class RowLostError extends Error {
  override readonly name = 'RowLostError';
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

/** Only for a server that is alone by construction: the leases of its former life are dead. */
export async function dropAllLeases(tx: WriteTx, table: ReconciledTable): Promise<void> {
  await tx.execute(
    `UPDATE ${table} SET lease_expires_at = NULL, lease_holder = NULL, lease_token = lease_token + 1
     WHERE lease_expires_at IS NOT NULL`,
  );
}

interface StateRow {
  readonly id: string;
  readonly rev: number;
  readonly wake_seq: number;
  readonly lease_token: number;
}

const statesOf = ofEachTable((table) =>
  rowsByKey({ select: `SELECT id, rev, wake_seq, lease_token FROM ${table}`, key: 'id', read: toState }),
);

const lockedStatesOf = ofEachTable((table) =>
  rowsByKey({
    select: `SELECT id, rev, wake_seq, lease_token FROM ${table}`,
    key: 'id',
    read: toState,
    suffix: lockInOrder,
  }),
);

export async function rowState(tx: ReadTx, table: ReconciledTable, id: string): Promise<RowState | null> {
  return (await statesOf[table](tx, id))[0] ?? null;
}

/** Whether the row is as it was observed and the lease still counts; on Postgres it stays so until the commit. */
async function isStillOurs(
  tx: WriteTx,
  table: ReconciledTable,
  { id, leaseToken }: Claim,
  observed: RowState,
): Promise<boolean> {
  const [row] = await lockedStatesOf[table](tx, id);
  return row?.rev === observed.rev && row.leaseToken === leaseToken;
}

function toState(_tx: ReadTx, row: StateRow): RowState {
  return { rev: Number(row.rev), wakeSeq: Number(row.wake_seq), leaseToken: Number(row.lease_token) };
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

/**
 * What commits lock after their own rows, when they wake them, is not waited for: a job that is locked is about to move, or its run
 * to be woken.
 */
const SKIPS = { ...ofEachTable(() => ''), jobs: ' SKIP LOCKED' };

const revsOf = ofEachTable((table) =>
  rowsByKey({
    select: `SELECT id, rev FROM ${table}`,
    key: 'id',
    read: (_tx, { rev }: { readonly id: string; readonly rev: number }) => Number(rev),
    suffix: (dialect) => (dialect === 'postgres' ? ` ORDER BY id FOR SHARE${SKIPS[table]}` : ''),
  }),
);

/** Whether every row the decision rested on still is what was observed; on Postgres it stays so until the commit. */
async function allUnmoved(tx: WriteTx, restsOn: readonly RestedOn[]): Promise<boolean> {
  const unmoved = await Promise.all(
    restsOn.map(async ({ table, id, rev }) => {
      const [now] = await revsOf[table](tx, id);
      return now === rev;
    }),
  );
  return unmoved.every((each) => each);
}

interface Guarded {
  readonly claim: Claim;
  readonly observed: RowState;
  readonly restsOn: readonly RestedOn[];
  readonly lockFirst: () => Promise<readonly string[]>;
}

/**
 * Whether the row and all that its decision rested on are as they were observed; on Postgres they stay so until the commit. All rows of a
 * transaction take the same steps together: who went ahead would hold locks that come after those the others still wait for.
 */
export function holdStill(tx: WriteTx, table: ReconciledTable, row: Guarded): Promise<boolean> {
  return heldStill[table](tx, row);
}

const heldStill = ofEachTable((table) =>
  merged<WriteTx, Guarded, boolean>(async (tx, rows) => {
    const toWake = await Promise.all(rows.map(({ lockFirst }) => lockFirst()));
    const unmoved = await Promise.all(rows.map(({ restsOn }) => allUnmoved(tx, restsOn)));
    const [ours] = await Promise.all([
      Promise.all(rows.map(({ claim, observed }) => isStillOurs(tx, table, claim, observed))),
      Promise.all([...new Set(toWake.flat())].map((id) => lockedStatesOf[table](tx, id))),
    ]);
    return rows.map((_row, index) => unmoved[index] === true && ours[index] === true);
  }),
);

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
