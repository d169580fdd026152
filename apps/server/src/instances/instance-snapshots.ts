import { Inject, Injectable } from '@nestjs/common';
import {
  type BareHost,
  type FleetSurplus,
  idleLimitMs,
  isGoneForGood,
  kindOfOffer,
  type InstanceSnapshot,
  type OpenAttempt,
  whyUnwanted,
  whyUnwantedBeforeLaunch,
} from '@dstack/core';
import type { ReadTx } from '../persistence/transaction.js';
import { findProject } from '../projects/find-project.js';
import type { Observed } from '../reconcile/reconciler.js';
import { findJobsOn } from '../jobs/job-record.js';
import { Hosts } from '../hosts/hosts.js';
import { findFleet, type FleetRecord } from '../fleets/fleet-record.js';
import { NO_SURPLUS, surplusOf } from '../fleets/fleet-surplus.js';
import { hasAttachedVolumes } from '../volumes/job-volumes.js';
import { type AttemptRecord, findAttempts, findAttemptsFor } from './attempt-record.js';
import { connectedSince, findInstance, type InstanceRecord } from './instance-record.js';
import { tenureOf } from './tenure.js';
import { isGroupInUse } from './machine-group.js';
import { InstanceLimits } from './instance-limits.js';

/** The snapshot for the decision, and the rows behind it for the effects. */
export interface InstanceView {
  readonly snapshot: InstanceSnapshot;
  readonly record: InstanceRecord;
  readonly attempts: readonly AttemptRecord[];
  /** Of other machines that were made for the same job, and failed to start. */
  readonly earlierAttempts: readonly AttemptRecord[];
  readonly fleet: FleetRecord | null;
  readonly projectName: string;
  readonly projectPublicKey: string;
}

@Injectable()
export class InstanceSnapshots {
  constructor(
    @Inject(InstanceLimits) private readonly limits: InstanceLimits,
    @Inject(Hosts) private readonly hosts: Hosts,
  ) {}

  async load(id: string, tx: ReadTx, now: number): Promise<Observed<InstanceView> | null> {
    const record = await findInstance(tx, id);
    if (record === null || record.deleted) return null;
    const { attempts, earlierAttempts } = await attemptsOf(tx, record);
    const fleet = record.fleetId === null ? null : await findFleet(tx, record.fleetId);
    const project = await findProject(tx, record.projectId);
    const jobs = await findJobsOn(tx, id);
    const surplus = record.status === 'idle' ? await surplusOf(tx, fleet, record) : NO_SURPLUS;
    const volumesLeaving = record.status === 'terminating' && (await hasAttachedVolumes(tx, id));
    const groupInUse =
      record.status === 'terminating' && record.group !== null && (await isGroupInUse(tx, record.group, id));
    const facts = { groupInUse, now, record, attempts, earlierAttempts, fleet, jobs, surplus, volumesLeaving };
    const view = {
      snapshot: this.snapshotOf(facts),
      record,
      attempts,
      earlierAttempts,
      fleet,
      projectName: project?.name ?? '',
      projectPublicKey: project?.ssh_public_key ?? '',
    };
    const restsOn = fleet === null ? [] : [{ table: 'fleets' as const, id: fleet.id, rev: fleet.rev }];
    return { snapshot: view, restsOn };
  }

  /** Null while the agent is the one this server would install, or nobody could replace it. */
  private replaceAgentAt(record: InstanceRecord, now: number): number | null {
    const { machine, agent } = record;
    const arch = agent.info?.host.arch;
    if (machine?.agentDigest === undefined || arch === undefined || connectedSince(record, now) === null) return null;
    const digest = this.hosts.agentDigest(arch);
    return digest === null || digest === machine.agentDigest ? null : (machine.replaceAgentAt ?? now);
  }

  private snapshotOf(facts: Facts): InstanceSnapshot {
    const { record, now, jobs } = facts;
    const base = { id: record.id, statusChangedAt: record.statusChangedAt, busyBlocks: record.busyBlocks };
    const machine = {
      machineState: record.machine?.state ?? 'unknown',
      machineMessage: record.machine?.message ?? null,
    };
    const tenure = tenureOf(record);
    if (tenure === 'given' && record.status === 'pending') return { ...base, ...pendingHost(facts) };
    switch (record.status) {
      case 'pending':
      case 'launching':
        return {
          ...base,
          status: record.status,
          given: false,
          createdAt: record.createdAt,
          machine: record.machine === null ? 'none' : record.machine.state === 'ready' ? 'ready' : 'starting',
          attemptsMade: facts.attempts.length + facts.earlierAttempts.length,
          maxAttempts: this.limits.maxOffersTried,
          openAttempt: openAttempt(facts.attempts, this.limits.idempotencyOf(record.backendType)),
          noOffersLeft: record.terminationMessage,
          unwanted: whyUnwantedBeforeLaunch(wantedFacts(facts)),
        };
      case 'provisioning':
        return {
          ...base,
          ...machine,
          status: 'provisioning',
          connectedSince: connectedSince(record, now),
          powerOffAfterMs: record.agent.powerOffAfterMs ?? null,
          provisioningLimitMs: this.limits.provisioningMs(record),
          unwanted: record.busyBlocks === 0 ? whyUnwanted(wantedFacts(facts)) : null,
          tenure,
          kind: kindOfOffer(record.offer),
          isOneOfGroup: record.group !== null,
          bareHost: bareHost(record),
        };
      case 'idle':
      case 'busy':
        return {
          ...base,
          ...machine,
          status: record.status,
          connectedSince: connectedSince(record, now),
          unreachableSince: record.unreachableSince,
          idleSince: record.idleSince,
          idleLimitMs: idleLimitMs(record, facts.fleet?.spec ?? null),
          fleetSurplus: facts.surplus,
          unwanted: whyUnwanted(wantedFacts(facts)),
          tenure,
          kind: kindOfOffer(record.offer),
          isOneOfGroup: record.group !== null,
          replaceAgentAt: this.replaceAgentAt(record, now),
        };
      case 'terminating':
        return {
          ...base,
          status: 'terminating',
          machineGone: isGone(facts),
          terminateFailures: record.machine?.terminateFailures ?? 0,
          nextTerminateAt: record.machine?.nextTerminateAt ?? null,
          jobsDraining: jobs.length > 0,
          volumesLeaving: facts.volumesLeaving,
          groupInUse: facts.groupInUse,
          endMessage: record.terminationMessage,
          tenure,
        };
      case 'terminated':
        return { ...base, status: 'terminated' };
    }
  }
}

function bareHost({ machine, progress }: InstanceRecord): BareHost | null {
  if (machine?.state !== 'ready' || machine.login === undefined || machine.agent !== null) return null;
  return { problem: progress.problem?.message ?? null, failedTries: progress.failedTries };
}

function pendingHost(facts: Facts) {
  const { record } = facts;
  return {
    status: 'pending' as const,
    given: true as const,
    createdAt: record.createdAt,
    isOnboarded: record.machine !== null,
    problem: record.progress.problem,
    failedTries: record.progress.failedTries,
    unwanted: whyUnwanted(wantedFacts(facts)),
  };
}

interface Facts {
  readonly now: number;
  readonly record: InstanceRecord;
  readonly attempts: readonly AttemptRecord[];
  readonly earlierAttempts: readonly AttemptRecord[];
  readonly fleet: FleetRecord | null;
  readonly jobs: readonly { readonly id: string; readonly status: string }[];
  /** The fleet has no more nodes than it wants. */
  readonly surplus: FleetSurplus;
  readonly volumesLeaving: boolean;
  readonly groupInUse: boolean;
}

type Attempts = Pick<InstanceView, 'attempts' | 'earlierAttempts'>;

async function attemptsOf(tx: ReadTx, { id, status, provisioningJobId }: InstanceRecord): Promise<Attempts> {
  const isLaunching = status === 'pending' || status === 'launching';
  if (provisioningJobId === null || !isLaunching) return { attempts: await findAttempts(tx, id), earlierAttempts: [] };
  const ofJob = await findAttemptsFor(tx, provisioningJobId);
  return {
    attempts: ofJob.filter(({ instanceId }) => instanceId === id),
    earlierAttempts: ofJob.filter(({ instanceId }) => instanceId !== id),
  };
}

function openAttempt(attempts: readonly AttemptRecord[], idempotency: OpenAttempt['idempotency']): OpenAttempt | null {
  const last = attempts.at(-1);
  if (last === undefined || last.finishedAt !== null) return null;
  return {
    attempt: last.attempt,
    createdAt: last.createdAt,
    idempotency,
    unknownOutcomes: last.outcome === 'unknown' ? 1 : 0,
  };
}

function wantedFacts({ record, fleet, jobs }: Facts) {
  const fleetIsGoing = fleet?.status === 'terminating';
  const { provisioningJobId, unwanted } = record;
  return { fleetIsGoing, unwanted, isMadeForJob: provisioningJobId !== null, hasJobs: jobs.length > 0 };
}

function isGone({ record: { machine, hostName, progress }, attempts }: Facts): boolean {
  if (hostName !== null && !progress.reached) return true;
  const open = attempts.filter(({ outcome }) => outcome !== 'failed');
  if (machine === null) return hostName === null && open.length === 0;
  return isGoneForGood(machine.state !== 'gone', open);
}
