import {
  type AbsentInstance,
  effectiveProfile,
  type PlacementFleet,
  type PlacementInstance,
  type VolumesByName,
} from '@dstack/core';
import type { FleetRecord } from '../fleets/fleet-record.js';
import type { InstanceRecord } from '../instances/instance-record.js';
import { findJobs, type JobRecord, latestSubmissions } from '../jobs/job-record.js';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findRuns, type RunRecord } from '../runs/run-record.js';
import { volumesFor } from '../volumes/volume-facts.js';
import { loadGroup, type LoadedGroup } from './loaded-group.js';
import { type CapacityDetail, loadCapacity, type ProjectCapacity } from './project-capacity.js';

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
export async function loadPlacement(tx: ReadTx, detail: CapacityDetail): Promise<PlacementScene> {
  const jobs = await findJobs(
    tx,
    `id IN (SELECT j.id FROM jobs j JOIN runs r ON r.id = j.run_id WHERE j.status = 'submitted' AND j.instance_id IS NULL
       ORDER BY r.priority DESC, j.submitted_at, j.run_id LIMIT ${PLACEMENT_CHUNK})`,
    [],
  );
  const runs = await runsOf(tx, jobs);
  const groups: LoadedGroup[] = [];
  const capacities: ProjectCapacity[] = [];
  for (const [projectId, ofProject] of Map.groupBy(jobs, (job) => job.projectId)) {
    const ofRuns = Map.groupBy(ofProject, (job) => job.runId);
    // Somebody named the machines he wants: they have to be known, free or not.
    const isAnyNamed = [...ofRuns.keys()].some((id) => namesInstances(runs.get(id)));
    const capacity = await loadCapacity(tx, projectId, isAnyNamed ? 'all' : detail);
    capacities.push(capacity);
    const volumes = await volumesFor(tx, projectId, ofProject.map(({ spec }) => spec)); // prettier-ignore
    for (const [runId, ofRun] of ofRuns)
      groups.push(...(await groupsOf(tx, runs.get(runId), ofRun, { capacity, volumes })));
  }
  return sceneOf(groups, capacities);
}

interface OwnedRun {
  readonly run: RunRecord;
  readonly userName: string;
}

async function runsOf(tx: ReadTx, jobs: readonly JobRecord[]): Promise<ReadonlyMap<string, OwnedRun>> {
  const ids = inList('id', [...new Set(jobs.map((job) => job.runId))]);
  const runs = await findRuns(tx, ids.sql, ids.params);
  const users = inList('id', [...new Set(runs.map((run) => run.userId))]);
  const rows = await tx.query<{ id: string; name: string }>(
    `SELECT id, name FROM users WHERE ${users.sql}`,
    users.params,
  );
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  return new Map(runs.map((run) => [run.id, { run, userName: names.get(run.userId) ?? '' }]));
}

function namesInstances(owned: OwnedRun | undefined): boolean {
  return owned !== undefined && (effectiveProfile(owned.run.spec).instances ?? null) !== null;
}

export function sceneOf(groups: readonly LoadedGroup[], capacities: readonly ProjectCapacity[]): PlacementScene {
  return {
    groups,
    // A fleet that is shared is part of several capacities: what one project takes of it is not there for the others.
    instances: [...byId(capacities.flatMap((capacity) => capacity.instances)).values()],
    absent: distinct(capacities.flatMap((capacity) => capacity.absent)),
    fleets: [...byId(ownFirst(capacities)).values()],
    instanceRecords: byId(capacities.flatMap((capacity) => capacity.instanceRecords)),
    fleetRecords: byId(capacities.flatMap((capacity) => capacity.fleetRecords)),
  };
}

/** Where several projects use one, the name with its project is true for all of them. */
function ownFirst(capacities: readonly ProjectCapacity[]): PlacementFleet[] {
  const isOwn = ({ project }: ProjectCapacity, { name }: PlacementFleet): boolean =>
    project.activeFleets.includes(name);
  const all = capacities.flatMap((capacity) =>
    capacity.fleets.map((fleet) => ({ fleet, own: isOwn(capacity, fleet) })),
  );
  return [...all.filter(({ own }) => own), ...all.filter(({ own }) => !own)].map(({ fleet }) => fleet);
}

function distinct(absent: readonly AbsentInstance[]): AbsentInstance[] {
  return [...new Map(absent.map((each) => [`${each.fleetId}/${each.name}`, each])).values()];
}

function byId<T extends { readonly id: string }>(records: readonly T[]): Map<string, T> {
  return new Map(records.map((record) => [record.id, record]));
}

async function groupsOf(
  tx: ReadTx,
  owned: OwnedRun | undefined,
  jobs: readonly JobRecord[],
  { capacity, volumes }: { readonly capacity: ProjectCapacity; readonly volumes: VolumesByName },
): Promise<LoadedGroup[]> {
  if (owned === undefined || owned.run.status === 'terminating') return [];
  const { run, userName } = owned;
  const groups: LoadedGroup[] = [];
  for (const gang of gangs(jobs)) {
    const whole = await wholeGang(tx, gang);
    if (whole !== null) groups.push(loadGroup({ run, userName, jobs: whole }, capacity, volumes));
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
