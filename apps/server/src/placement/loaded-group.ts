import {
  availabilityOf,
  type Combined,
  combineFleetAndRun,
  containerOnly,
  effectiveProfile,
  filtersOfProfile,
  mountsVolumes,
  namedFleets,
  needsDefaultFleet,
  networkMounts,
  referenceOf,
  type PlacementCandidate,
  type PlacementGroup,
  requiredFeatures,
  type RunAsk,
  type VolumeAvailability,
  type VolumesByName,
  unlikeContainers,
  type Wire,
} from '@dstack/core';
import type { InstanceRecord } from '../instances/instance-record.js';
import type { JobRecord } from '../jobs/job-record.js';
import type { RunRecord } from '../runs/run-record.js';
import type { ProjectCapacity } from './project-capacity.js';

/** A group as it is decided about, and the rows behind it. */
export interface LoadedGroup {
  readonly group: PlacementGroup;
  readonly run: RunRecord;
  readonly jobs: readonly JobRecord[];
  /** Its fleet is not there yet. */
  readonly lacksDefaultFleet: boolean;
  /** What its volumes are in the way of, the first of its jobs for which they are. */
  readonly volumes: VolumeAvailability;
  readonly volumesByName: VolumesByName;
  /** What a machine made for the job would have to be, by fleet and by the job's ask. */
  readonly asks: ReadonlyMap<string, readonly RunAsk[]>;
}

export interface GroupRows {
  readonly run: RunRecord;
  readonly userName: string;
  readonly jobs: readonly JobRecord[];
}

export function loadGroup(
  { run, userName, jobs }: GroupRows,
  capacity: ProjectCapacity,
  volumes: VolumesByName,
): LoadedGroup {
  const { fleetRecords: fleets, project } = capacity;
  const profile = effectiveProfile(run.spec);
  const specs = [...new Map(jobs.map((job) => [kindOf(job), job.spec])).entries()];
  const named = namedFleets(profile, project.name);
  const usable = fleets.filter((fleet) => (run.fleetId !== null ? fleet.id === run.fleetId : (named?.includes(fleet.name) ?? true))); // prettier-ignore
  const asks = new Map<string, readonly RunAsk[]>();
  const unlikeNodes = unlikeContainers(jobs.map(({ spec }) => spec));
  const candidates = usable.map((fleet): PlacementCandidate => {
    const combined = specs.map(([, { requirements }]) => combineFleetAndRun(fleet.spec, { profile, requirements }));
    const conflict = combined.find((each) => !each.ok);
    if (conflict !== undefined) return { fleetId: fleet.id, fits: false, because: conflict.conflict };
    asks.set(fleet.id, combined.flatMap(valueOf));
    return {
      fleetId: fleet.id,
      fits: true,
      asks: combined.flatMap(valueOf).map((ask, index) => toAsk(ask, run, specs[index]?.[1], volumes, unlikeNodes)),
    };
  });
  const available = specs.map(([, { volumes: mounts }]) => availabilityOf(networkMounts(mounts), volumes));
  return {
    run,
    jobs,
    asks,
    volumes: available.find(({ kind }) => kind !== 'free') ?? { kind: 'free', locations: null },
    volumesByName: volumes,
    lacksDefaultFleet: run.fleetId === null && needsDefaultFleet(profile, project),
    group: {
      runId: run.id,
      runName: run.name,
      userName,
      jobs: jobs.map(({ id, spec }) => ({
        id,
        ask: specs.findIndex(([kind]) => kind === kindOf({ spec })),
      })),
      priority: run.priority,
      // Of the run: one that was refused before does not lose its turn to those that came after it.
      submittedAt: run.submittedAt,
      mayCreate: profile.creation_policy !== 'reuse',
      onlyInstanceIds: namedInstances(profile, capacity),
      unknownFleets: (named ?? []).filter((name) => !fleets.some((fleet) => fleet.name === name)),
      candidates,
    },
  };
}

/** Jobs of a kind ask for the same. Who mounts volumes has its own, and has to be where they are. */
function kindOf({ spec }: Pick<JobRecord, 'spec'>): string {
  const group = String(spec.node_group_index ?? 0);
  return mountsVolumes(spec) ? `${group} ${spec.job_num}` : group;
}

function valueOf<T>(each: Combined<T>): T[] {
  return each.ok ? [each.value] : [];
}

function toAsk(
  { requirements, profile }: RunAsk,
  run: RunRecord,
  spec: Wire.JobSpec | undefined,
  volumes: VolumesByName,
  unlikeNodes: string | null,
) {
  const available = availabilityOf(networkMounts(spec?.volumes), volumes);
  const needs =
    spec === undefined
      ? {}
      : {
          features: requiredFeatures(spec),
          containerOnly: containerOnly(run.spec.configuration, spec),
          nodes: spec.jobs_per_replica ?? null,
          unlikeNodes,
          volumeLocations: available.kind === 'free' ? available.locations : null,
        };
  return { requirements, filters: filtersOfProfile(profile, needs), offers: null, offersNotes: [] };
}

/** `instances:` of the profile; null: any. */
export function namedInstances(
  profile: Wire.Profile,
  { instanceRecords: instances, fleetRecords: fleets, project }: ProjectCapacity,
): string[] | null {
  const selectors = profile.instances ?? null;
  if (selectors === null) return null;
  const isNamed = (instance: InstanceRecord): boolean =>
    selectors.some((selector) => {
      if ('name' in selector) return selector.name === instance.name;
      if ('hostname' in selector) return addressesOf(instance).includes(selector.hostname);
      const fleet = fleets.find((each) => each.id === instance.fleetId);
      return fleet?.name === referenceOf(selector.fleet, project.name) && selector.instance === instance.instanceNum;
    });
  return instances.filter(isNamed).map((instance) => instance.id);
}

function addressesOf({ hostName, machine }: InstanceRecord): (string | null | undefined)[] {
  return [hostName, machine?.hostname, machine?.internalIp];
}
