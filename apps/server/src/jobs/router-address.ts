import { isDynamoRouter, isDynamoWorker, isFinishedJob, type Wire } from '@dstack/core';
import type { MachineRecord } from '../instances/instance-record.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';
import type { Wake } from '../reconcile/wake.js';
import type { RunRecord } from '../runs/run-record.js';
import { hasAddress } from './gang.js';
import type { JobRecord } from './job-record.js';

interface JobRow {
  readonly status: Wire.JobStatus;
  readonly replica_group: string | null;
  readonly provisioning_data: string | null;
  readonly machine: string | null;
}

export function needsRouter({ replicaGroup }: Pick<JobRecord, 'replicaGroup'>, { spec }: RunRecord): boolean {
  return isDynamoWorker(spec.configuration, replicaGroup);
}

/** Where a worker finds the Dynamo router of its service, in the network of their machines; null: it has no address yet. */
export async function routerAddress(tx: ReadTx, { id: runId, spec }: RunRecord): Promise<string | null> {
  const rows = await tx.query<JobRow>(
    `SELECT jobs.status, jobs.replica_group, jobs.provisioning_data, instances.machine
     FROM jobs LEFT JOIN instances ON instances.id = jobs.instance_id WHERE jobs.run_id = ? ORDER BY jobs.submission_num DESC`,
    [runId],
  );
  const router = rows.find(
    ({ status, replica_group: group }) => isDynamoRouter(spec.configuration, group ?? '0') && !isFinishedJob(status),
  );
  if (router === undefined || !hasAddress(router)) return null;
  const data = readJsonOrNull<Wire.JobProvisioningData>(router.provisioning_data);
  const machine = readJsonOrNull<MachineRecord>(router.machine);
  return data?.internal_ip ?? machine?.internalIp ?? data?.hostname ?? null;
}

/** Of a router that gets its place, those who may wait for it. */
export async function workersToWake(
  tx: ReadTx,
  { replicaGroup }: Pick<JobRecord, 'replicaGroup'>,
  { id: runId, spec }: RunRecord,
  status: Wire.JobStatus,
): Promise<readonly string[]> {
  if (status !== 'provisioning' || !isDynamoRouter(spec.configuration, replicaGroup)) return [];
  const workers = await tx.query<{ id: string; status: Wire.JobStatus }>(
    'SELECT id, status FROM jobs WHERE run_id = ? AND COALESCE(replica_group, ?) <> ?',
    [runId, '0', replicaGroup],
  );
  return workers.filter((worker) => !isFinishedJob(worker.status)).map(({ id }) => id);
}

export async function wakeWorkers(
  tx: WriteTx,
  wake: Wake,
  job: Pick<JobRecord, 'replicaGroup'>,
  run: RunRecord,
  status: Wire.JobStatus,
): Promise<void> {
  const ids = await workersToWake(tx, job, run, status);
  if (ids.length > 0) await wake.rows(tx, 'jobs', ids);
}
