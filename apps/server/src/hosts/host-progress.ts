import type { HostProblemFact } from '@dstack/core';
import type { ReadTx } from '../persistence/transaction.js';
import type { Database } from '../persistence/database.js';
import { readJsonOrNull, writeJson } from '../reconcile/stored-json.js';

/** How far the preparation of a host has come. No decision but the next try rests on it. */
export interface HostProgress {
  /** For people: `uploading the agent, 40 %`. */
  readonly step: string | null;
  readonly failedTries: number;
  readonly problem: HostProblemFact | null;
}

export const NO_PROGRESS: HostProgress = { step: null, failedTries: 0, problem: null };

export function readProgress(text: string | null): HostProgress {
  return readJsonOrNull<HostProgress>(text) ?? NO_PROGRESS;
}

/** Told while an effect runs, outside its commit: whoever waits sees it, and losing it costs nothing. */
export async function tellStep(db: Database, instanceId: string, step: string): Promise<void> {
  await db.write(async (tx) => {
    const known = await progressOf(tx, instanceId);
    await tx.execute('UPDATE instances SET progress = ? WHERE id = ?', [writeJson({ ...known, step }), instanceId]);
  });
}

async function progressOf(tx: ReadTx, instanceId: string): Promise<HostProgress> {
  const [row] = await tx.query<{ progress: string | null }>('SELECT progress FROM instances WHERE id = ?', [
    instanceId,
  ]);
  return readProgress(row?.progress ?? null);
}
