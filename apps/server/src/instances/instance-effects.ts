import { Inject, Injectable } from '@nestjs/common';
import { type Attempt, type Call, type MachineRef, type MachineState } from '@dstack/backend-base';
import { arrivalMs, type InstanceEffect, mayHaveMadeMore, mayStillArrive, undecided } from '@dstack/core';
import { ContainerStarts } from '../containers/container-starts.js';
import { PlacementGroups } from '../fleets/placement-groups.js';
import { markReached } from '../hosts/host-progress.js';
import { Hosts } from '../hosts/hosts.js';
import { ComputeAccounts } from '../offers/compute-accounts.js';
import { OffersService } from '../offers/offers.service.js';
import { Database } from '../persistence/database.js';
import { type ReadTogether, readTogether, type WriteTogether, writeDurableTogether } from '../persistence/together.js';
import { beginCreateCall, type Mark } from '../reconcile/begin-create-call.js';
import type { ActContext } from '../reconcile/reconciler.js';
import { reservedVolumes } from '../volumes/job-volumes.js';
import { WORLD, type World } from '../world/world.js';
import type { AttemptRecord } from './attempt-record.js';
import { InstanceLimits, learnFrom } from './instance-limits.js';
import { InstancePlans } from './instance-plans.js';
import type { InstanceView } from './instance-snapshots.js';

const CALL_DEADLINE_MS = 30_000;

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
  private readonly plans: InstancePlans;

  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(OffersService) offers: OffersService,
    @Inject(InstanceLimits) private readonly limits: InstanceLimits,
    @Inject(Hosts) private readonly hosts: Hosts,
    private readonly containers: ContainerStarts,
    @Inject(PlacementGroups) private readonly groups: Pick<PlacementGroups, 'ensure'>,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.asking = writeDurableTogether(db);
    this.reading = readTogether(db);
    this.plans = new InstancePlans(db, accounts, offers, limits);
  }

  perform(effect: InstanceEffect, context: ActContext<InstanceView>): Promise<unknown> {
    switch (effect.do) {
      case 'plan':
        return this.plans.make(context.snapshot);
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

  private async launch(context: ActContext<InstanceView>): Promise<MachineState> {
    const { record, attempts, projectName, projectPublicKey } = context.snapshot;
    const open = lastAttempt(attempts);
    const { compute, definition } = await this.accounts.open(record.projectId, open.backendType);
    learnFrom(this.limits, definition);
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
    learnFrom(this.limits, definition);
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
    learnFrom(this.limits, definition);
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
