import type { MachineRef } from '@dstack/backend-base';
import {
  type ClusterRole,
  clusterRole,
  containerOnly,
  divisibleOffers,
  filtersOfProfile,
  isCluster,
  type LaunchPlace,
  nextPlace,
  type OfferFilters,
  type OpenAttempt,
  requiredFeatures,
  whyNotCreated,
} from '@dstack/core';
import { clusterMembers } from '../fleets/cluster-members.js';
import { findJob } from '../jobs/job-record.js';
import type { ComputeAccounts } from '../offers/compute-accounts.js';
import type { OffersService } from '../offers/offers.service.js';
import type { Database } from '../persistence/database.js';
import { type ReadTogether, readTogether } from '../persistence/together.js';
import { findRun } from '../runs/run-record.js';
import { reservedVolumes } from '../volumes/job-volumes.js';
import { type AttemptRecord, failedPlaces, findAttempts } from './attempt-record.js';
import { type InstanceLimits, learnFrom } from './instance-limits.js';
import { findInstance } from './instance-record.js';
import type { InstanceView } from './instance-snapshots.js';
import type { GroupMembership } from './machine-group.js';

type Needs = Pick<OfferFilters, 'features' | 'containerOnly' | 'volumeLocations' | 'nodes'>;

export type PlanOutcome =
  | (LaunchPlace & {
      readonly maxNameLength: number;
      readonly blocks: number;
      readonly idempotency: OpenAttempt['idempotency'];
    })
  | { readonly none: string }
  /** It has been made with the first of its group. */
  | { readonly joins: JoinedGroup }
  /** The first machine of its cluster is still being made. */
  | { readonly waits: true };
export interface JoinedGroup {
  readonly first: AttemptRecord;
  readonly ref: MachineRef;
}

/** Where a machine is tried next. */
export class InstancePlans {
  private readonly reading: ReadTogether;

  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    private readonly offers: OffersService,
    private readonly limits: InstanceLimits,
  ) {
    this.reading = readTogether(db);
  }

  async make(snapshot: InstanceView): Promise<PlanOutcome> {
    const { record, fleet } = snapshot;
    const attempts = [...snapshot.earlierAttempts, ...snapshot.attempts];
    if (record.requirements === null) return { none: 'the instance has no requirements' };
    if (record.group !== null && record.group.rank > 0) return this.join(record, record.group);
    const role = await this.roleOf(record, fleet);
    if (role.kind === 'wait') return { waits: true };
    const found = await this.offers.best(record.projectId, {
      requirements: record.requirements,
      filters: beside(role, filtersOfProfile(record.profile ?? {}, await this.needs(record))),
    });
    const isGroup = record.group !== null;
    const offers = found.offers.filter(({ group_nodes: nodes }) => (nodes !== undefined) === isGroup);
    const { divisible, because } = divisibleOffers(offers, blocksOf(record, fleet));
    const place = nextPlace(divisible.map(({ offer }) => offer), failedPlaces(attempts)); // prettier-ignore
    if (place === null) {
      const notes = divisible.length === 0 && because !== null ? [because] : found.notes;
      return { none: whyNotCreated(attempts.map(({ message }) => message)) ?? notes.join('; ') };
    }
    const { definition } = await this.accounts.open(record.projectId, place.offer.backend);
    learnFrom(this.limits, definition);
    const blocks = divisible.find(({ offer }) => offer === place.offer)?.blocks ?? 1;
    return {
      ...place,
      blocks,
      maxNameLength: definition.maxNameLength,
      idempotency: definition.idempotency.kind,
    };
  }

  /** What the first of its group got; nothing is tried for this one alone. */
  private async join({ projectId }: InstanceView['record'], { id, rank }: GroupMembership): Promise<PlanOutcome> {
    const [first, attempts] = await this.reading.run(
      async (tx) => [await findInstance(tx, id), await findAttempts(tx, id)] as const,
    );
    const made = attempts.at(-1);
    const isOver = first === null || first.status === 'terminating' || first.status === 'terminated';
    if (isOver) return { none: first?.terminationMessage ?? 'the machines it is made with are gone' };
    if (first.machine === null || made === undefined) return { waits: true };
    const { compute } = await this.accounts.open(projectId, made.backendType);
    if (compute.groups === undefined) return { none: `${made.backendType} makes no machines together` };
    return { joins: { first: made, ref: compute.groups.member(first.machine.ref, rank) } };
  }

  /** Where the machines of a cluster have to be close, one of them goes first. */
  private async roleOf(record: InstanceView['record'], fleet: InstanceView['fleet']): Promise<ClusterRole> {
    if (fleet === null || !isCluster(fleet.spec.configuration)) return { kind: 'lead' };
    const { backendType, projectId } = record;
    // Its job was promised a place, and there nothing is closer than that.
    if (backendType !== null) {
      const { compute } = await this.accounts.open(projectId, backendType);
      if (compute.placementGroups === undefined) return { kind: 'lead' };
    }
    return clusterRole(record.id, await this.db.read((tx) => clusterMembers(tx, fleet.id)));
  }

  /** Of the job it is made for; a machine for no job yet must be able to wait for one. */
  private async needs({ id, provisioningJobId: jobId, group }: InstanceView['record']): Promise<Needs> {
    if (jobId === null) return { features: ['create-instance'], containerOnly: null, volumeLocations: null };
    return this.reading.run(async (tx) => {
      const { locations: volumeLocations } = await reservedVolumes(tx, id);
      const job = await findJob(tx, jobId);
      const run = job === null ? null : await findRun(tx, job.runId);
      if (job === null || run === null) return { features: [], containerOnly: null, volumeLocations };
      const features = requiredFeatures(job.spec);
      const nodes = group?.size ?? null;
      return { nodes, features, containerOnly: containerOnly(run.spec.configuration, job.spec), volumeLocations };
    });
  }
}

/** What is made for a job is the job's alone. */
function blocksOf({ provisioningJobId }: InstanceView['record'], fleet: InstanceView['fleet']): number | 'auto' {
  return provisioningJobId === null ? (fleet?.spec.configuration.blocks ?? 1) : 1;
}

/** In the cloud, the region and the zone of the cluster's first machine. */
function beside(role: ClusterRole, filters: OfferFilters): OfferFilters {
  if (role.kind !== 'follow') return filters;
  const { backend, region, zone } = role.at;
  const zones = zone === null ? filters.availabilityZones : [zone];
  return { ...filters, backends: [backend], regions: [region], availabilityZones: zones };
}
