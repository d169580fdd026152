import { Inject, Injectable } from '@nestjs/common';
import { type Attempt, type Call, type MachineRef, type MachineState } from '@dstack/backend-base';
import {
  arrivalMs,
  type ClusterRole,
  clusterRole,
  containerOnly,
  divisibleOffers,
  filtersOfProfile,
  type InstanceEffect,
  isCluster,
  mayHaveMadeMore,
  mayStillArrive,
  nextPlace,
  type OfferFilters,
  type OpenAttempt,
  type LaunchPlace,
  requiredFeatures,
  undecided,
} from '@dstack/core';
import { isAskedByGateway } from '../gateways/asked-by-gateway.js';
import { ContainerStarts } from '../containers/container-starts.js';
import { clusterMembers } from '../fleets/cluster-members.js';
import { PlacementGroups } from '../fleets/placement-groups.js';
import { markReached } from '../hosts/host-progress.js';
import { Hosts } from '../hosts/hosts.js';
import { findJob } from '../jobs/job-record.js';
import { ComputeAccounts } from '../offers/compute-accounts.js';
import { OffersService } from '../offers/offers.service.js';
import { Database } from '../persistence/database.js';
import { type ReadTogether, readTogether, type WriteTogether, writeDurableTogether } from '../persistence/together.js';
import { beginCreateCall, type Mark } from '../reconcile/begin-create-call.js';
import type { ActContext } from '../reconcile/reconciler.js';
import { findRun } from '../runs/run-record.js';
import { reservedVolumes } from '../volumes/job-volumes.js';
import { WORLD, type World } from '../world/world.js';
import { type AttemptRecord, failedPlaces, findAttempts } from './attempt-record.js';
import { InstanceLimits } from './instance-limits.js';
import { findInstance } from './instance-record.js';
import type { InstanceView } from './instance-snapshots.js';
import type { GroupMembership } from './machine-group.js';

const CALL_DEADLINE_MS = 30_000;

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
export type SettleOutcome =
  | { readonly found: MachineRef }
  | { readonly absent: true }
  | { readonly undecided: true }
  /** The call may simply be made again, which a server that has just started did not know. */
  | { readonly repeatable: true };
export type TerminateOutcome = 'done' | 'pending';

/** The outside half of an instance's life: offers, create, get, list, terminate. */
@Injectable()
export class InstanceEffects {
  private readonly asking: WriteTogether;
  private readonly reading: ReadTogether;

  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(OffersService) private readonly offers: OffersService,
    @Inject(InstanceLimits) private readonly limits: InstanceLimits,
    @Inject(Hosts) private readonly hosts: Hosts,
    private readonly containers: ContainerStarts,
    @Inject(PlacementGroups) private readonly groups: Pick<PlacementGroups, 'ensure'>,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.asking = writeDurableTogether(db);
    this.reading = readTogether(db);
  }

  perform(effect: InstanceEffect, context: ActContext<InstanceView>): Promise<unknown> {
    switch (effect.do) {
      case 'plan':
        return this.plan(context);
      case 'launch':
        return this.launch(context);
      case 'settle':
        return this.settle(context);
      case 'poll':
        return this.poll(context);
      case 'onboard':
        return this.hosts.onboard(context.id, () => markReached(this.db, context.id), context.signal);
      case 'install-agent':
        return this.hosts.installAgent(context.id, context.signal);
      case 'replace-agent':
        return this.hosts.replaceAgent(context.id, context.signal);
      case 'terminate':
        return context.snapshot.record.hostName === null ? this.terminate(context) : this.offboard(context);
      default:
        return undecided(effect);
    }
  }

  private async plan({ snapshot }: ActContext<InstanceView>): Promise<PlanOutcome> {
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
      return { none: whyNotCreated(attempts) ?? notes.join('; ') };
    }
    const { definition } = await this.accounts.open(record.projectId, place.offer.backend);
    this.learn(definition);
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
      const features = requiredFeatures(job.spec, isAskedByGateway(run, job.spec));
      const nodes = group?.size ?? null;
      return { nodes, features, containerOnly: containerOnly(run.spec.configuration, job.spec), volumeLocations };
    });
  }

  private async launch(context: ActContext<InstanceView>): Promise<MachineState> {
    const { record, attempts, projectName, projectPublicKey } = context.snapshot;
    const open = lastAttempt(attempts);
    const { compute, definition } = await this.accounts.open(record.projectId, open.backendType);
    this.learn(definition);
    const { boundIds } = await this.reading.run((tx) => reservedVolumes(tx, record.id));
    const placementGroup = await this.placementGroupOf(context, open);
    const attempt: Attempt = {
      token: open.token,
      cloudName: open.cloudName,
      owner: await this.accounts.owner(),
      project: projectName,
      user: '',
      instanceName: record.name,
      offer: open.offer,
      zone: open.zone,
      reservation: record.requirements?.reservation ?? null,
      tags: record.profile?.tags ?? {},
      authorizedKeys: [projectPublicKey],
      volumeIds: boundIds,
      placementGroup,
      userData: null,
      container:
        definition.capabilities.kind === 'hosts'
          ? null
          : await this.containers.of(record.provisioningJobId, open.offer, [projectPublicKey]),
    };
    const { clock } = this.world;
    const tools = { clock, signal: context.signal, writeDurable: (work: Mark) => this.asking.run(work) };
    // A repeat of the same token or name is the same machine; elsewhere the cloud is searched first.
    const isOpen =
      definition.idempotency.kind === 'lookup' ? 'outcome IS NULL' : `outcome IS NULL OR outcome = 'unknown'`;
    const call = await beginCreateCall(tools, {
      table: 'provisioning_attempts',
      id: open.id,
      instanceId: record.id,
      status: record.status,
      askedAt: open.askedAt,
      isOpen,
      also: `outcome = 'unknown'`,
    });
    if (record.group === null) return compute.create(attempt, call);
    if (compute.groups === undefined) throw new Error(`${open.backendType} makes no machines together`);
    return compute.groups.create(attempt, record.group.size, call);
  }

  private async placementGroupOf(context: ActContext<InstanceView>, open: AttemptRecord): Promise<string | null> {
    const { record, fleet, projectName } = context.snapshot;
    // Those that are made together are close to each other.
    if (fleet === null || record.group !== null) return null;
    const account = await this.accounts.open(record.projectId, open.backendType);
    const isReserved = Boolean(record.requirements?.reservation);
    const ask = { fleet, projectName, account, region: open.region, isReserved };
    return this.groups.ensure(ask, this.call(context));
  }

  private async settle(context: ActContext<InstanceView>): Promise<SettleOutcome> {
    const { record, attempts } = context.snapshot;
    const open = lastAttempt(attempts);
    const { compute, definition } = await this.accounts.open(record.projectId, open.backendType);
    this.learn(definition);
    if (definition.idempotency.kind !== 'lookup') return { repeatable: true };
    const machines = await compute.list(await this.accounts.owner(), this.call(context));
    const mine = machines.find((machine) => machine.ref.cloudName === open.cloudName || machine.token === open.token);
    if (mine !== undefined) return { found: mine.ref };
    return mayStillArrive(open, arrivalMs(definition), context.now) ? { undecided: true } : { absent: true };
  }

  private async poll(context: ActContext<InstanceView>): Promise<MachineState | null> {
    const { record } = context.snapshot;
    if (record.machine === null || record.backendType === null) return null;
    const { compute, definition } = await this.accounts.open(record.projectId, record.backendType);
    this.learn(definition);
    return compute.get(record.machine.ref, this.call(context));
  }

  /** A host that was never reached needs no visit. */
  private async offboard({ id, snapshot: { record }, signal }: ActContext<InstanceView>): Promise<TerminateOutcome> {
    if (record.progress.reached) await this.hosts.offboard(id, signal);
    return 'done';
  }

  /** Everything that may exist: the machine, and what attempts without an answer may have made. */
  private async terminate(context: ActContext<InstanceView>): Promise<TerminateOutcome> {
    const { record, attempts } = context.snapshot;
    if (record.group !== null && record.group.rank > 0) return this.terminateMember(context);
    let outcome: TerminateOutcome = 'done';
    for (const attempt of attempts) {
      if (attempt.outcome === 'failed') continue;
      const { compute, definition } = await this.accounts.open(record.projectId, attempt.backendType);
      const isUnderWay = mayStillArrive(attempt, arrivalMs(definition), context.now);
      for (const ref of possibleMachines(record.machine?.ref ?? null, attempt)) {
        if ((await compute.terminate(ref, this.call(context))) === 'pending') outcome = 'pending';
      }
      if (isUnderWay) outcome = 'pending';
    }
    return outcome;
  }

  /** The first one's attempts are looked after by the first one. */
  private async terminateMember(context: ActContext<InstanceView>): Promise<TerminateOutcome> {
    const { projectId, backendType, machine } = context.snapshot.record;
    if (machine === null || backendType === null) return 'done';
    const { compute } = await this.accounts.open(projectId, backendType);
    return compute.terminate(machine.ref, this.call(context));
  }

  private call({ signal }: ActContext<InstanceView>): Call {
    return { signal, deadline: this.world.clock.now() + CALL_DEADLINE_MS };
  }

  private learn(definition: Parameters<typeof toKnown>[0]): void {
    this.limits.learn(definition.type, toKnown(definition));
  }
}

function toKnown(definition: Awaited<ReturnType<ComputeAccounts['open']>>['definition']) {
  return { idempotency: definition.idempotency.kind, provisioningTimeoutMs: definition.provisioningTimeoutMs };
}

function lastAttempt(attempts: readonly AttemptRecord[]): AttemptRecord {
  const last = attempts.at(-1);
  if (last === undefined) throw new Error('an instance is launched without an attempt');
  return last;
}

/** The machine that is known, and by its name what else the attempt may have made. */
function possibleMachines(known: MachineRef | null, attempt: AttemptRecord): MachineRef[] {
  const { cloudName, region, zone } = attempt;
  const isKnown = known?.cloudName === cloudName;
  const byName = { cloudName, machineId: null, region, zone, backendData: null };
  return [...(isKnown ? [known] : []), ...(mayHaveMadeMore(isKnown, attempt) ? [byName] : [])];
}

const ERRORS_SHOWN = 3;

function whyNotCreated(attempts: readonly AttemptRecord[]): string | null {
  if (attempts.length === 0) return null;
  const messages = [...new Set(attempts.flatMap(({ message }) => (message === null ? [] : [message])))];
  return `all ${attempts.length} offers tried failed: ${messages.slice(0, ERRORS_SHOWN).join('; ')}`;
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
