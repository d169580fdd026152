import { failedToStart, type FailedStart, kindOfOffer } from '@dstack/core';
import type { FleetRecord } from '../fleets/fleet-record.js';
import { hasRoom } from '../fleets/hold-fleet.js';
import type { InstanceRecord } from '../instances/instance-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import type { JobRecord } from './job-record.js';

/** Null: its machine is there, has been, or ends for another reason. */
export async function findFailedStart(
  tx: ReadTx,
  job: JobRecord,
  instance: InstanceRecord,
  fleet: FleetRecord,
): Promise<FailedStart | null> {
  if (instance.requirements === null || instance.profile === null) return null;
  const hasFailed = failedToStart({
    reason: instance.terminationReason,
    isMadeForJob: instance.provisioningJobId === job.id,
    startedAt: instance.startedAt,
    hasSpoken: instance.agent.info !== null,
  });
  if (!hasFailed) return null;
  return {
    machineName: instance.name,
    failedMachines: (job.runtimeRecord.failedMachines ?? 0) + 1,
    kind: kindOfOffer(instance.offer),
    tie: await tieOf(tx, job, instance, fleet),
  };
}

async function tieOf(
  tx: ReadTx,
  { spec }: JobRecord,
  { id: instanceId, machine, group }: InstanceRecord,
  fleet: FleetRecord,
): Promise<string | null> {
  if (group !== null) return 'it was made together with the machines of the other nodes';
  if (!(await hasRoom(tx, fleet, { without: instanceId }))) return 'its fleet may have no more machines';
  const hasAddress = (machine?.hostname ?? machine?.internalIp ?? null) !== null;
  return (spec.jobs_per_replica ?? 1) > 1 && hasAddress ? 'the other nodes have been told its address' : null;
}
