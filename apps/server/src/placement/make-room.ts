import type { Verdict } from '@dstack/core';
import { terminateInstances } from '../fleets/fleet.reconciler.js';
import type { InstanceRecord } from '../instances/instance-record.js';
import type { WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';

/** An answer about this machine's room may be as old as this. */
const JUST_LEFT_MS = 3_000;

/** This machine would take the job if its other instances left room. */
export function isBlockedByThisMachine(verdict: Verdict): boolean {
  return verdict.kind === 'no-capacity' && verdict.explanation.thisMachineIsFull;
}

/**
 * An idle instance of this machine saves a second for the next job of its shape; it must not cost a job of another shape its place. Nor
 * must a job that is on its way out: whoever stops one run and starts the next gets the place, not a refusal. Returns whether room is
 * being made: the jobs then wait for it instead of failing.
 */
export async function makeRoomOnThisMachine(tx: WriteTx, wake: Wake, verdicts: readonly Verdict[]): Promise<boolean> {
  if (!verdicts.some(isBlockedByThisMachine)) return false;
  const leaving = await tx.query<{ id: string; status: string }>(
    `SELECT id, status FROM instances i WHERE backend_type = 'local' AND deleted = ?
       AND (busy_blocks = 0 AND (status IN ('terminating', 'busy') OR (status = 'idle' AND provisioning_job_id IS NOT NULL))
         OR EXISTS (SELECT 1 FROM jobs j WHERE j.instance_id = i.id AND j.status = 'terminating'))`,
    [false],
  );
  const idle = leaving.filter((instance) => instance.status === 'idle').map((instance) => instance.id);
  const now = await tx.now();
  await terminateInstances(tx, wake, idle, 'idle_timeout', now);
  return leaving.length > 0 || (await leftWhileWeAsked(tx, wake, now));
}

/** The machine was full when it was asked, and the instance that filled it may be gone by now: its offers are asked for again. */
async function leftWhileWeAsked(tx: WriteTx, wake: Wake, now: number): Promise<boolean> {
  const gone = await tx.query(`SELECT id FROM instances WHERE backend_type = 'local' AND finished_at >= ? LIMIT 1`, [
    now - JUST_LEFT_MS,
  ]);
  if (gone.length > 0) wake.topic(tx, 'placement');
  return gone.length > 0;
}

/**
 * What this machine has left is known only after a new instance has taken its share: one starts at a time, the next job waits for it
 * (a second at most) instead of failing for room that was counted twice.
 */
export function oneStartAtATime(verdicts: readonly Verdict[], instances: Iterable<InstanceRecord>): Verdict[] {
  let isStarting = [...instances].some(isStartingHere);
  return verdicts.filter((verdict) => {
    if (verdict.kind !== 'placed') return true;
    const startsHere = verdict.seats.some((seat) => seat.kind === 'create' && seat.offer.backend === 'local');
    if (!startsHere) return true;
    const mayStart = !isStarting;
    isStarting = true;
    return mayStart;
  });
}

function isStartingHere({ status, backendType }: InstanceRecord): boolean {
  return (status === 'pending' || status === 'launching') && backendType === 'local';
}
