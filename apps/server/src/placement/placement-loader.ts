import type { AbsentInstance, PlacementFleet, PlacementInstance } from '@dstack/core';
import type { FleetRecord } from '../fleets/fleet-record.js';
import type { InstanceRecord } from '../instances/instance-record.js';
import { findJobs, type JobRecord, latestSubmissions } from '../jobs/job-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findRuns } from '../runs/run-record.js';
import { loadGroup, type LoadedGroup } from './loaded-group.js';
import { loadCapacity, type ProjectCapacity } from './project-capacity.js';

/** Jobs that one pass looks at, the first in turn; a gang that is cut is completed. */
export const PLACEMENT_CHUNK = 500;

export interface PlacementScene {
  readonly groups: readonly LoadedGroup[];
  readonly instances: readonly PlacementInstance[];
  readonly absent: readonly AbsentInstance[];
  readonly instanceRecords: ReadonlyMap<string, InstanceRecord>;
  readonly fleets: readonly PlacementFleet[];
  readonly fleetRecords: ReadonlyMap<string, FleetRecord>;
}

/** Everything one placement pass decides about, read in one snapshot. */
export async function loadPlacement(tx: ReadTx): Promise<PlacementScene> {
  const jobs = await findJobs(
    tx,
    `status = 'submitted' AND instance_id IS NULL
     ORDER BY (SELECT r.priority FROM runs r WHERE r.id = jobs.run_id) DESC, submitted_at, run_id LIMIT ${PLACEMENT_CHUNK}`,
    [],
  );
  const groups: LoadedGroup[] = [];
  const capacities: ProjectCapacity[] = [];
  for (const [projectId, ofProject] of Map.groupBy(jobs, (job) => job.projectId)) {
    const capacity = await loadCapacity(tx, projectId);
    capacities.push(capacity);
    for (const [runId, ofRun] of Map.groupBy(ofProject, (job) => job.runId)) {
      groups.push(...(await groupsOf(tx, runId, ofRun, capacity)));
    }
  }
  return sceneOf(groups, capacities);
}

export function sceneOf(groups: readonly LoadedGroup[], capacities: readonly ProjectCapacity[]): PlacementScene {
  return {
    groups,
    instances: capacities.flatMap((capacity) => capacity.instances),
    absent: capacities.flatMap((capacity) => capacity.absent),
    fleets: capacities.flatMap((capacity) => capacity.fleets),
    instanceRecords: byId(capacities.flatMap((capacity) => capacity.instanceRecords)),
    fleetRecords: byId(capacities.flatMap((capacity) => capacity.fleetRecords)),
  };
}

function byId<T extends { readonly id: string }>(records: readonly T[]): Map<string, T> {
  return new Map(records.map((record) => [record.id, record]));
}

async function groupsOf(
  tx: ReadTx,
  runId: string,
  jobs: readonly JobRecord[],
  capacity: ProjectCapacity,
): Promise<LoadedGroup[]> {
  const [run] = await findRuns(tx, 'id = ?', [runId]);
  if (run === undefined || run.status === 'terminating') return [];
  const groups: LoadedGroup[] = [];
  const userName = await userNameOf(tx, run.userId);
  for (const gang of gangs(jobs)) {
    const whole = await wholeGang(tx, gang);
    if (whole !== null) groups.push(loadGroup({ run, userName, jobs: whole }, capacity));
  }
  return groups;
}

export async function userNameOf(tx: ReadTx, userId: string): Promise<string> {
  const [user] = await tx.query<{ name: string }>('SELECT name FROM users WHERE id = ?', [userId]);
  return user?.name ?? '';
}

/** The nodes of one replica start together; jobs of other replicas do not wait for them. */
export function gangs(jobs: readonly JobRecord[]): JobRecord[][] {
  return [...Map.groupBy(jobs, (job) => job.replicaNum).values()].map((gang) =>
    gang.sort((a, b) => a.jobNum - b.jobNum),
  );
}

/** A gang is looked at only when all of its nodes wait for placement. */
async function wholeGang(tx: ReadTx, gang: readonly JobRecord[]): Promise<readonly JobRecord[] | null> {
  const [first] = gang;
  if (first === undefined) return null;
  if ((first.spec.jobs_per_replica ?? 1) <= gang.length) return gang;
  const all = latestSubmissions(await findJobs(tx, 'run_id = ? AND replica_num = ?', [first.runId, first.replicaNum]));
  return all.every((job) => job.status === 'submitted' && job.instanceId === null) ? all : null;
}
