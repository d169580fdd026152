import { effectiveProfile, isFinishedJob, type NodeAddress, type Wire } from '@dstack/core';
import { merged } from '../persistence/merged.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { MachineRecord } from '../instances/instance-record.js';
import { readJson, readJsonOrNull } from '../reconcile/stored-json.js';
import type { Wake } from '../reconcile/wake.js';
import type { RunRecord } from '../runs/run-record.js';
import type { JobRecord } from './job-record.js';

/** The jobs of one submission of one replica start together. */
type Member = Pick<JobRecord, 'id' | 'runId' | 'replicaNum' | 'submissionNum' | 'jobNum' | 'spec'>;

const OF_GANG = `FROM jobs LEFT JOIN instances ON instances.id = jobs.instance_id
  WHERE jobs.run_id = ? AND jobs.replica_num = ? AND jobs.submission_num = ?`;

interface PeerRow {
  readonly job_num: number;
  readonly status: string;
  readonly provisioning_data: string | null;
  readonly machine: string | null;
}

/** A job is given to a machine before the cloud has an address for that; one that has failed is about to be replaced. */
const WITHOUT_ADDRESS: readonly (MachineRecord['state'] | undefined)[] = ['pending', 'failed', 'gone'];

export function hasAddress({
  provisioning_data: data,
  machine,
}: Pick<PeerRow, 'provisioning_data' | 'machine'>): boolean {
  return data !== null && !WITHOUT_ADDRESS.includes(readJsonOrNull<MachineRecord>(machine)?.state);
}

const gangOf = ({ runId, replicaNum, submissionNum }: Member): (string | number)[] => [
  runId,
  replicaNum,
  submissionNum,
];

function isGang({ spec }: Member): boolean {
  return (spec.jobs_per_replica ?? 1) > 1;
}

const startupOrder = (run: RunRecord) => effectiveProfile(run.spec).startup_order ?? 'any';

/** Of its peers; null: it may be started. */
export async function whatItWaitsFor(tx: ReadTx, job: Member, run: RunRecord): Promise<string | null> {
  if (!isGang(job)) return null;
  const order = startupOrder(run);
  const peers = await tx.query<PeerRow>(
    `SELECT jobs.job_num, jobs.status, jobs.provisioning_data, instances.machine ${OF_GANG} AND jobs.id <> ?`,
    [...gangOf(job), job.id],
  );
  if (!peers.every(hasAddress)) return 'other nodes have no address yet';
  const isRunning = (peer: PeerRow): boolean => peer.status === 'running';
  const isMasterRunning = peers.some((peer) => Number(peer.job_num) === 0 && isRunning(peer));
  if (order === 'master-first' && job.jobNum !== 0 && !isMasterRunning) return 'the master node is not running yet';
  if (order === 'workers-first' && job.jobNum === 0 && !peers.every(isRunning))
    return 'the worker nodes are not running yet';
  return null;
}

/** By rank. Without opening what is sealed in their specifications: of two hundred nodes that takes longer than all the rest. */
export async function nodeAddresses(
  tx: ReadTx,
  job: Member & Pick<JobRecord, 'provisioningData'>,
): Promise<NodeAddress[]> {
  if (!isGang(job)) return [addressOf(job.spec, job.provisioningData, null)];
  const rows = await tx.query<{ job_spec: string; provisioning_data: string | null; machine: string | null }>(
    `SELECT jobs.job_spec, jobs.provisioning_data, instances.machine ${OF_GANG} ORDER BY jobs.job_num`,
    gangOf(job),
  );
  return rows.map((row) => {
    return addressOf(
      readJson<Wire.JobSpec>(row.job_spec),
      readJsonOrNull<Wire.JobProvisioningData>(row.provisioning_data),
      readJsonOrNull<MachineRecord>(row.machine),
    );
  });
}

function addressOf(
  spec: Wire.JobSpec,
  data: Wire.JobProvisioningData | null,
  machine: MachineRecord | null,
): NodeAddress {
  const ip = data?.internal_ip ?? machine?.internalIp ?? '';
  return { group: spec.node_group_index ?? 0, index: spec.node_group_job_index ?? 0, ip };
}

/** Of this change somebody may have been waiting. */
function concernsPeers(job: Member, run: RunRecord, status: Wire.JobStatus): boolean {
  if (!isGang(job)) return false;
  // Back there: another machine is made for it.
  if (status === 'provisioning' || status === 'submitted') return true;
  const order = startupOrder(run);
  return status === 'running' && order !== 'any' && (job.jobNum === 0) === (order === 'master-first');
}

/**
 * Before anything else is locked or written for a job whose peers may have waited for this. One at a time then, so that exactly the last of
 * them sees that nobody is missing. Returns who may be woken: they are locked with the job, for whoever locks the job first and its
 * peers later waits for somebody who goes by their ids.
 */
export async function lockGang(
  tx: WriteTx,
  job: Member,
  run: RunRecord,
  status: Wire.JobStatus,
): Promise<readonly string[]> {
  if (tx.dialect === 'sqlite' || !concernsPeers(job, run, status)) return [];
  return holdGang(tx, job);
}

/** Those of one transaction in one order, as everywhere. No row's lock: the run looks at all of its jobs while it decides. */
const holdGang = merged<WriteTx, Member, readonly string[]>(async (tx, jobs) => {
  const nameOf = (job: Member): string => `${job.runId}/${job.replicaNum}`;
  const members = new Map<string, readonly string[]>();
  for (const [gang, [first]] of [...Map.groupBy(jobs, nameOf)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (first === undefined) continue;
    await tx.query('SELECT pg_advisory_xact_lock(hashtext(?))', [gang]);
    const rows = await tx.query<{ id: string }>(`SELECT jobs.id ${OF_GANG}`, gangOf(first));
    members.set(gang, rows.map(({ id }) => id)); // prettier-ignore
  }
  return jobs.map((job) => members.get(nameOf(job)) ?? []);
});

/** Wakes those whose waiting may be over: when the last one has its address, and as the order of starting has it. */
export async function wakeWaitingPeers(
  tx: WriteTx,
  wake: Wake,
  job: Member,
  run: RunRecord,
  status: Wire.JobStatus,
): Promise<void> {
  if (!concernsPeers(job, run, status)) return;
  if (status === 'provisioning') {
    const missing = await tx.query(`SELECT jobs.id ${OF_GANG} AND jobs.provisioning_data IS NULL LIMIT 1`, gangOf(job));
    if (missing.length > 0) return;
  }
  if (status === 'submitted') await beginWaitAnew(tx, job);
  await wakePeers(tx, wake, job);
}

/** Those that are ready wait for the next machine of one of them as long as they would have for the first. */
async function beginWaitAnew(tx: WriteTx, job: Member): Promise<void> {
  const { runId, replicaNum, submissionNum } = job;
  await tx.execute(
    `UPDATE jobs SET status_changed_at = CAST(? AS bigint), rev = rev + 1
     WHERE run_id = ? AND replica_num = ? AND submission_num = ? AND id <> ? AND status = 'provisioning'`,
    [await tx.now(), runId, replicaNum, submissionNum, job.id],
  );
}

/** All that are not over. */
export async function wakePeers(tx: WriteTx, wake: Wake, job: Member): Promise<void> {
  if (!isGang(job)) return;
  const peers = await tx.query<{ id: string; status: Wire.JobStatus }>(
    `SELECT jobs.id, jobs.status ${OF_GANG} AND jobs.id <> ?`,
    [...gangOf(job), job.id],
  );
  const waiting = peers.filter((peer) => !isFinishedJob(peer.status));
  await wake.rows(tx, 'jobs', waiting.map((peer) => peer.id)); // prettier-ignore
}

/**
 * A machine has an address now: the peers of its jobs, or workers whose router is there, may have waited for it. All that wait are woken, not by the last one alone as above: whoever writes
 * this holds no gang, and of two at once each would take the other for missing.
 */
export async function wakePeersOfMachine(tx: WriteTx, wake: Wake, instanceId: string): Promise<void> {
  const peers = await tx.query<{ id: string }>(
    `SELECT peers.id FROM jobs JOIN jobs peers ON peers.run_id = jobs.run_id AND peers.id <> jobs.id
       AND (peers.replica_group <> jobs.replica_group
         OR (peers.replica_num = jobs.replica_num AND peers.submission_num = jobs.submission_num))
     WHERE jobs.instance_id = ? AND peers.status = 'provisioning'`,
    [instanceId],
  );
  await wake.rows(tx, 'jobs', peers.map((peer) => peer.id)); // prettier-ignore
}
