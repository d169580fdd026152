import type { FleetRecord } from '../fleets/fleet-record.js';
import { insertInstance } from '../fleets/create-instances.js';
import { hasRoom, holdFleet } from '../fleets/hold-fleet.js';
import type { InstanceRecord } from '../instances/instance-record.js';
import type { WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import type { Wake } from '../reconcile/wake.js';
import type { World } from '../world/world.js';
import { giveVolumesTo } from '../volumes/job-volumes.js';
import type { JobRecord } from './job-record.js';
import { releaseInstance } from './release-instance.js';

export interface Change {
  readonly job: JobRecord;
  /** Whose machine failed to start; it goes its own way from here. */
  readonly instance: InstanceRecord;
  readonly fleet: FleetRecord;
}

/** Before the rows of jobs are locked, as whoever gives jobs machines does. @returns whether the fleet is there to make one more */
export async function holdFleetOf(tx: WriteTx, fleet: FleetRecord | null): Promise<boolean> {
  return fleet !== null && (await holdFleet(tx, fleet));
}

/**
 * Another instance in the place of the one whose machine failed to start: for the same job, asking for the same, in the same fleet. Where it
 * is not tried again is known from the attempts for that job.
 * @returns null: somebody else took its place in the fleet
 */
export async function makeNextMachine(
  tx: WriteTx,
  { wake, world }: { readonly wake: Wake; readonly world: World },
  { job, instance, fleet }: Change,
): Promise<{ readonly id: string; readonly name: string } | null> {
  const { requirements, profile } = instance;
  if (requirements === null || profile === null) return null;
  await releaseInstance(tx, wake, job);
  if (!(await hasRoom(tx, fleet))) return null;
  const next = await insertInstance(tx, world, fleet, {
    requirements,
    profile,
    provisioningJobId: job.id,
    busyBlocks: 1,
    idleSeconds: instance.idleSeconds,
    ...(instance.backendType === null || instance.region === null
      ? {}
      : { place: { backend: instance.backendType, region: instance.region } }),
  });
  const failedMachines = (job.runtimeRecord.failedMachines ?? 0) + 1;
  await tx.execute(
    `UPDATE jobs SET instance_id = ?, used_instance_id = ?, blocks = 1, provisioning_data = NULL, runtime_data = ?, assigned_at = ? WHERE id = ?`,
    [next.id, next.id, writeJson({ ...job.runtimeRecord, failedMachines }), await tx.now(), job.id],
  );
  await giveVolumesTo(tx, wake, job.id, next.id);
  wake.topic(tx, 'instances');
  return next;
}
