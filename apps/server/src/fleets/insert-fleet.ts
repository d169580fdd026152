import type { Wire } from '@dstack/core';
import type { WriteTx } from '../persistence/transaction.js';
import { writeSealed } from '../reconcile/sealed-json.js';

export interface NewFleet {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly spec: Wire.FleetSpec;
}

/** Returns false when the project has a fleet of that name. */
export async function insertFleet(tx: WriteTx, fleet: NewFleet): Promise<boolean> {
  const now = await tx.now();
  const inserted = await tx.execute(
    `INSERT INTO fleets (id, project_id, name, status, spec, created_at, next_due_at) VALUES (?, ?, ?, 'active', ?, ?, ?)
     ON CONFLICT DO NOTHING`,
    [fleet.id, fleet.projectId, fleet.name, writeSealed(tx, fleet.spec), now, now],
  );
  return inserted === 1;
}
