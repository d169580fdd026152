import { lockInOrder } from '../persistence/in-order.js';
import { merged } from '../persistence/merged.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { Claim } from './claims.js';
import { ofEachTable, type ReconciledTable, type RestedOn } from './reconciled-table.js';

export interface RowState {
  readonly rev: number;
  readonly wakeSeq: number;
  readonly leaseToken: number;
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
