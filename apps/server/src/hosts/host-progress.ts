import type { HostProblemFact } from '@dstack/core';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { Database } from '../persistence/database.js';
import { readJsonOrNull, writeJson } from '../reconcile/stored-json.js';

/** How far the preparation of a host has come. No decision but the next try rests on it. */
export interface HostProgress {
  /** For people: `uploading the agent, 40 %`. */
  readonly step: string | null;
  readonly failedTries: number;
  readonly problem: HostProblemFact | null;
  /** Something of ours may be on the host. */
  readonly reached: boolean;
}

export const NO_PROGRESS: HostProgress = { step: null, failedTries: 0, problem: null, reached: false };

export function readProgress(text: string | null): HostProgress {
  return { ...NO_PROGRESS, ...readJsonOrNull<Partial<HostProgress>>(text) };
}

/** Told while an effect runs, outside its commit: whoever waits sees it, and losing it costs nothing. */
export async function tellStep(db: Database, instanceId: string, step: string): Promise<void> {
  await db.write((tx) => changeProgress(tx, instanceId, { step }));
}

/** Before anything is put on the host: whoever lets it go after a crash knows that it has to be visited. */
export async function markReached(db: Database, instanceId: string): Promise<void> {
  await db.writeDurable((tx) => changeProgress(tx, instanceId, { reached: true }));
}

export async function changeProgress(tx: WriteTx, instanceId: string, change: Partial<HostProgress>): Promise<void> {
  const known = await progressOf(tx, instanceId);
  await tx.execute('UPDATE instances SET progress = ? WHERE id = ?', [writeJson({ ...known, ...change }), instanceId]);
}

async function progressOf(tx: ReadTx, instanceId: string): Promise<HostProgress> {
  const [row] = await tx.query<{ progress: string | null }>('SELECT progress FROM instances WHERE id = ?', [
    instanceId,
  ]);
  return readProgress(row?.progress ?? null);
}
