import { Inject, Injectable } from '@nestjs/common';
import {
  aboutFleet,
  availabilityOf,
  combineFleetAndRun,
  containerOnly,
  defaultFleetSpec,
  effectiveProfile,
  type FittingOffers,
  filtersOfProfile,
  mergeRejections,
  namedFleets,
  needsDefaultFleet,
  nothingCreated,
  networkMounts,
  type Offer,
  offerOfInstance,
  type OfferFilters,
  placesOf,
  type PlacementFleet,
  type RejectionReason,
  type RejectionSummary,
  requiredFeatures,
  summariseRejections,
  unknownFleets,
  unknownGpus,
  type VolumesByName,
  type Wire,
} from '@dstack/core';
import { type FoundOffers, OffersService } from '../offers/offers.service.js';
import { namedInstances } from '../placement/loaded-group.js';
import type { ProjectCapacity } from '../placement/project-capacity.js';

export interface PlanOptions {
  readonly maxOffers: number;
  readonly fullOffers: boolean;
  readonly unallocated: boolean;
  readonly forOffersOnly: boolean;
}

interface JobToPlan {
  readonly projectId: string;
  readonly effective: Wire.RunSpec;
  readonly job: Wire.JobSpec;
  /** Why the containers of the run's nodes cannot be made together. */
  readonly unlikeNodes: string | null;
  readonly capacity: ProjectCapacity;
  readonly volumes: VolumesByName;
  readonly options: PlanOptions;
}

export interface JobOffersFound {
  /** Existing instances, busy ones too. */
  readonly pool: readonly Offer[];
  /** Of each fleet and backend. */
  readonly created: readonly FittingOffers[];
  readonly rejections: readonly RejectionSummary[];
  /** Of backends that did not answer, cannot be used, or could not be checked. */
  readonly warnings: readonly string[];
}

/** Where a job could run, in every fleet its run may use. */
@Injectable()
export class JobOffers {
  constructor(@Inject(OffersService) private readonly offers: OffersService) {}

  async find(plan: JobToPlan): Promise<JobOffersFound> {
    const { effective, job, capacity, options, volumes } = plan;
    const mounts = networkMounts(job.volumes);
    const available = availabilityOf(mounts, volumes);
    if (available.kind === 'refused')
      return {
        pool: [],
        created: [],
        rejections: [{ code: 'volumes', count: 1, example: available.because }],
        warnings: [],
      };
    const profile = effectiveProfile(effective);
    const named = namedInstances(profile, capacity);
    const pool: Offer[] = [];
    const created: FittingOffers[] = [];
    const warnings = new Set<string>();
    const rejected: RejectionReason[][] = [];
    const summaries: RejectionSummary[] = [];
    const existing = capacity.fleetRecords.map(({ name }) => name);
    const aboutAsk = [
      ...unknownGpus(job.requirements.resources.gpu),
      ...unknownFleets(namedFleets(profile, capacity.project.name), existing),
    ];
    for (const fleet of plannedFleets(profile, capacity, options)) {
      const combined = combineFleetAndRun(fleet.spec, { profile, requirements: job.requirements });
      if (!combined.ok) {
        aboutAsk.push(aboutFleet(fleet.name, combined.conflict));
        continue;
      }
      const { requirements } = combined.value;
      const filters = filtersOfProfile(combined.value.profile, {
        features: requiredFeatures(job),
        nodes: job.jobs_per_replica ?? null,
        unlikeNodes: plan.unlikeNodes,
        containerOnly: containerOnly(effective.configuration, job),
        volumeLocations: available.kind === 'free' ? available.locations : placesOf(mounts, volumes),
      });
      for (const instance of capacity.instances) {
        if (fleet.id !== null && instance.fleetId !== fleet.id) continue;
        if (named !== null && !named.includes(instance.id)) continue;
        const match = offerOfInstance(instance, requirements, filters);
        if (match.ok) pool.push(match.offer);
        else rejected.push([...match.reasons]);
      }
      if (profile.creation_policy === 'reuse') aboutAsk.push(nothingCreated(fleet.name));
      if (!fleet.mayGrow || named !== null || profile.creation_policy === 'reuse') continue;
      const found = await this.createdIn(fleet, { requirements, filters }, plan);
      created.push(...found.fitting);
      for (const warning of found.warnings) warnings.add(warning);
      summaries.push(...found.rejections);
    }
    return {
      pool,
      created,
      rejections: [
        ...aboutAsk.map(({ code, text }) => ({ code, count: 1, example: text })),
        ...mergeRejections([...summariseRejections(rejected), ...summaries]),
      ],
      warnings: [...warnings],
    };
  }

  private createdIn(
    fleet: PlannedFleet,
    ask: { readonly requirements: Wire.Requirements; readonly filters: OfferFilters },
    { projectId, options: { fullOffers, unallocated } }: JobToPlan,
  ): Promise<FoundOffers> {
    const { anchor } = fleet;
    const filters =
      anchor === null ? ask.filters : { ...ask.filters, backends: [anchor.backend], regions: [anchor.region] };
    return this.offers.find(projectId, { ...ask, filters, fullOffers, unallocated });
  }
}

/** A fleet as plans see it; without an id: any instance counts, whatever its fleet. */
interface PlannedFleet extends Pick<PlacementFleet, 'anchor'> {
  readonly id: string | null;
  readonly name: string;
  readonly spec: Wire.FleetSpec;
  readonly mayGrow: boolean;
}

/** Planning makes no fleet, but shows what the default one would offer as if it were there. */
function plannedFleets(
  profile: Wire.Profile,
  { fleetRecords, fleets, project }: ProjectCapacity,
  { forOffersOnly }: PlanOptions,
): PlannedFleet[] {
  const imagined = { name: 'default', spec: defaultFleetSpec(), mayGrow: true, anchor: null };
  const named = namedFleets(profile, project.name);
  if (forOffersOnly && named === null) return [{ id: null, ...imagined }];
  const usable = fleetRecords.flatMap(({ id, name, spec }) => {
    const fleet = fleets.find((each) => each.id === id);
    if (fleet === undefined || (named !== null && !named.includes(name))) return [];
    const { anchor, canCreate, activeCount, maxNodes } = fleet;
    return [{ id, name, spec, anchor, mayGrow: canCreate && activeCount < (maxNodes ?? Infinity) }];
  });
  return needsDefaultFleet(profile, project) ? [...usable, { id: '', ...imagined }] : usable;
}
