import { type HeldMachine, heldInterval, type PricedInterval } from '@dstack/core';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx } from '../persistence/transaction.js';

export interface HeldRow {
  readonly run_id: string;
  readonly price: number;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly held_from: number;
  readonly held_until: number | null;
  readonly blocks: number;
  readonly total_blocks: number;
  readonly failed: number;
}

const COLUMNS = `j.run_id, p.price_usd_per_hour AS price, p.started_at, p.ended_at,
  COALESCE(j.assigned_at, j.submitted_at) AS held_from, j.finished_at AS held_until, COALESCE(j.blocks, 1) AS blocks`;

/** Machines that jobs had. */
export const HELD = `SELECT ${COLUMNS}, COALESCE(i.total_blocks, 1) AS total_blocks, 0 AS failed
  FROM jobs j JOIN instances i ON i.id = j.used_instance_id JOIN priced_intervals p ON p.instance_id = i.id`;

/** Machines that were made for them and failed to start. */
export const FAILED = `SELECT ${COLUMNS}, 1 AS total_blocks, 1 AS failed
  FROM jobs j JOIN instances i ON i.provisioning_job_id = j.id AND i.id <> j.used_instance_id JOIN priced_intervals p ON p.instance_id = i.id`;

const read = (_tx: ReadTx, row: HeldRow): PricedInterval => intervalOf(row);
const heldOf = rowsByKey({ select: HELD, key: 'run_id', read });
const failedOf = rowsByKey({ select: FAILED, key: 'run_id', read });

/** What a run pays for, of all its submissions. */
export async function pricedForRun(tx: ReadTx, runId: string): Promise<readonly PricedInterval[]> {
  return (await Promise.all([heldOf(tx, runId), failedOf(tx, runId)])).flat();
}

export function intervalOf(row: HeldRow): PricedInterval {
  const machine: HeldMachine = {
    priced: { priceUsdPerHour: row.price, from: Number(row.started_at), until: numberOrNull(row.ended_at) },
    heldFrom: Number(row.held_from),
    heldUntil: numberOrNull(row.held_until),
    share: Math.min(1, Number(row.blocks) / Math.max(1, Number(row.total_blocks))),
    failedToStart: Number(row.failed) === 1,
  };
  return heldInterval(machine);
}

function numberOrNull(value: number | null): number | null {
  return value === null ? null : Number(value);
}
