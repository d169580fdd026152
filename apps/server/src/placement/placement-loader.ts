import {
  combineFleetAndRun,
  effectiveProfile,
  filtersOfProfile,
  type PlacementCandidate,
  type PlacementFleet,
  type PlacementGroup,
  type PlacementInstance,
  requiredFeatures,
  type Wire,
} from '@dstack/core';
import { findFleets, type FleetRecord, nodesOf } from '../fleets/fleet-record.js';
import { connectedSince, findInstances, type InstanceRecord } from '../instances/instance-record.js';
import { findJobs, type JobRecord, latestSubmissions } from '../jobs/job-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findRuns, type RunRecord } from '../runs/run-record.js';

/** Jobs placed in one commit. */
export const PLACEMENT_CHUNK = 500;

export interface LoadedGroup {
  readonly group: PlacementGroup;
  readonly run: RunRecord;
  readonly jobs: readonly JobRecord[];
  /** What the run asks, narrowed by each fleet it could use. */
  readonly asks: ReadonlyMap<string, { readonly requirements: Wire.Requirements; readonly profile: Wire.Profile }>;
}

export interface PlacementScene {
  readonly groups: readonly LoadedGroup[];
  readonly instances: readonly PlacementInstance[];
  readonly instanceRecords: ReadonlyMap<string, InstanceRecord>;
  readonly fleets: readonly PlacementFleet[];
  readonly fleetRecords: ReadonlyMap<string, FleetRecord>;
}

/** Everything one placement pass decides about, read in one snapshot. */
export async function loadPlacement(tx: ReadTx): Promise<PlacementScene> {
  const now = await tx.now();
  const jobs = await findJobs(
    tx,
    `status = 'submitted' AND instance_id IS NULL ORDER BY submitted_at LIMIT ${PLACEMENT_CHUNK}`,
    [],
  );
  const scene = { groups: [] as LoadedGroup[] };
  const fleetRecords = new Map<string, FleetRecord>();
  const instanceRecords = new Map<string, InstanceRecord>();
  for (const projectId of new Set(jobs.map((job) => job.projectId))) {
    const fleets = await findFleets(tx, `project_id = ? AND deleted = ? AND status = 'active' ORDER BY created_at`, [
      projectId,
      false,
    ]);
    fleets.forEach((fleet) => fleetRecords.set(fleet.id, fleet));
    const instances = await findInstances(tx, `project_id = ? AND deleted = ? AND status <> 'terminated'`, [
      projectId,
      false,
    ]);
    instances.forEach((instance) => instanceRecords.set(instance.id, instance));
    for (const jobsOfRun of byRun(jobs.filter((job) => job.projectId === projectId))) {
      const [run] = await findRuns(tx, 'id = ?', [jobsOfRun[0]?.runId ?? '']);
      if (run === undefined || run.status === 'terminating') continue;
      const taken = instances.filter((instance) => instance.fleetId !== null);
      for (const gang of gangs(jobsOfRun)) {
        if (await isComplete(tx, gang)) scene.groups.push(groupOf(run, gang, fleets, taken));
      }
    }
  }
  return {
    ...scene,
    instanceRecords,
    fleetRecords,
    instances: [...instanceRecords.values()].flatMap((record) => toPlacementInstance(record, now)),
    fleets: [...fleetRecords.values()].map((fleet) => toPlacementFleet(fleet, instanceRecords)),
  };
}

function groupOf(
  run: RunRecord,
  jobs: readonly JobRecord[],
  fleets: readonly FleetRecord[],
  instances: readonly InstanceRecord[],
): LoadedGroup {
  const profile = effectiveProfile(run.spec);
  const spec = jobs[0]?.spec;
  const asks = new Map<string, { requirements: Wire.Requirements; profile: Wire.Profile }>();
  const named = fleetNames(profile);
  const usable = fleets.filter((fleet) =>
    run.fleetId !== null ? fleet.id === run.fleetId : named === null || named.includes(fleet.name),
  );
  const candidates = usable.map((fleet): PlacementCandidate => {
    if (spec === undefined) return { fleetId: fleet.id, fits: false, because: 'the replica has no jobs' };
    const combined = combineFleetAndRun(fleet.spec, { profile, requirements: spec.requirements });
    if (!combined.ok) return { fleetId: fleet.id, fits: false, because: `fleet ${fleet.name}: ${combined.conflict}` };
    asks.set(fleet.id, combined.value);
    return {
      fleetId: fleet.id,
      fits: true,
      requirements: combined.value.requirements,
      filters: filtersOfProfile(combined.value.profile, { features: requiredFeatures(spec) }),
      offers: null,
      offersNote: null,
    };
  });
  return {
    run,
    jobs,
    asks,
    group: {
      runId: run.id,
      jobIds: jobs.map((job) => job.id),
      priority: run.priority,
      submittedAt: Math.min(...jobs.map((job) => job.submittedAt)),
      mayCreate: profile.creation_policy !== 'reuse',
      onlyInstanceIds: onlyInstances(profile, instances, fleets),
      candidates,
    },
  };
}

/** `fleets:` of the profile; null: any. */
function fleetNames(profile: Wire.Profile): string[] | null {
  const refs = profile.fleets ?? null;
  if (refs === null) return null;
  return refs.map((ref) => (typeof ref === 'string' ? ref : ref.name));
}

function onlyInstances(
  profile: Wire.Profile,
  instances: readonly InstanceRecord[],
  fleets: readonly FleetRecord[],
): string[] | null {
  const selectors = profile.instances ?? null;
  if (selectors === null) return null;
  const matches = (instance: InstanceRecord): boolean =>
    selectors.some((selector) => {
      if ('hostname' in selector) return selector.hostname === instance.machine?.hostname;
      if ('name' in selector) return selector.name === instance.name;
      const fleet = fleets.find((each) => each.id === instance.fleetId);
      return fleet?.name === selector.fleet.name && selector.instance === instance.instanceNum;
    });
  return instances.filter(matches).map((instance) => instance.id);
}

function byRun(jobs: readonly JobRecord[]): JobRecord[][] {
  return [...Map.groupBy(jobs, (job) => job.runId).values()];
}

/** The nodes of one replica start together; jobs of other replicas do not wait for them. */
function gangs(jobs: readonly JobRecord[]): JobRecord[][] {
  return [...Map.groupBy(jobs, (job) => job.replicaNum).values()].map((gang) =>
    gang.sort((a, b) => a.jobNum - b.jobNum),
  );
}

/** A gang is looked at only when all of its nodes wait for placement. */
async function isComplete(tx: ReadTx, gang: readonly JobRecord[]): Promise<boolean> {
  const [first] = gang;
  if (first === undefined) return false;
  if ((first.spec.jobs_per_replica ?? 1) <= gang.length) return true;
  const all = latestSubmissions(await findJobs(tx, 'run_id = ? AND replica_num = ?', [first.runId, first.replicaNum]));
  return all.every((job) => gang.some((member) => member.id === job.id));
}

export function toPlacementInstance(record: InstanceRecord, now: number): PlacementInstance[] {
  const { offer, fleetId, backendType } = record;
  if (offer === null || fleetId === null || backendType === null) return [];
  if (record.status !== 'idle' && record.status !== 'busy') return [];
  if (record.unwanted !== null) return [];
  return [
    {
      id: record.id,
      fleetId,
      backend: backendType,
      instanceType: offer.instance,
      region: record.region ?? '',
      zone: record.zone,
      priceUsdPerHour: record.price ?? 0,
      status: record.status,
      unreachable: record.unreachableSince !== null || connectedSince(record, now) === null,
      health: record.health,
      healthIncidents: record.agent.incidents ?? [],
      totalBlocks: record.totalBlocks,
      busyBlocks: record.busyBlocks,
      detachingVolumes: false,
    },
  ];
}

function toPlacementFleet(fleet: FleetRecord, instances: ReadonlyMap<string, InstanceRecord>): PlacementFleet {
  const nodes = nodesOf(fleet.spec);
  const active = [...instances.values()].filter((each) => each.fleetId === fleet.id && each.status !== 'terminating');
  return {
    id: fleet.id,
    name: fleet.name,
    activeCount: active.length,
    maxNodes: nodes?.max ?? null,
    canCreate: nodes !== null,
  };
}
