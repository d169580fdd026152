import { Inject, Injectable } from '@nestjs/common';
import { isBackendError, type MachineState, statusText } from '@dstack/backend-base';
import {
  cloudName,
  decideInstance,
  doublingDelayMs,
  type InstanceDecision,
  type InstanceEffect,
  LIMITS,
  type UnlaunchedInstance,
} from '@dstack/core';
import type { WriteTx } from '../persistence/transaction.js';
import { EventRecorder } from '../events/event-recorder.js';
import { changeProgress } from '../hosts/host-progress.js';
import { type InstalledAgent, isLastingHostError, type ReadyHost } from '../hosts/hosts.js';
import { findJobsOn } from '../jobs/job-record.js';
import type { CommitContext, CommitResult, Outcome } from '../reconcile/reconciler.js';
import { writeJson } from '../reconcile/stored-json.js';
import { wakePeersOfMachine } from '../jobs/gang.js';
import { Wake } from '../reconcile/wake.js';
import { wakeVolumesOf } from '../volumes/job-volumes.js';
import { rowId } from '../world/row-id.js';
import { WORLD, type World } from '../world/world.js';
import type { PlanOutcome, SettleOutcome, TerminateOutcome } from './instance-effects.js';
import type { AttemptRecord } from './attempt-record.js';
import { beginPricedInterval, endPricedInterval } from './priced-intervals.js';
import { isDefiniteFailure } from './create-call.js';
import {
  changeInstance,
  changePlace,
  finishAttempt,
  insertAttempt,
  setAskedAt,
  setLastError,
  writeMachine,
} from './instance-changes.js';
import type { MachineRecord } from './instance-record.js';
import type { InstanceView } from './instance-snapshots.js';

type Context = CommitContext<InstanceView, InstanceDecision>;

/** What is wrong with somebody's own host comes with what to do about it, to the last word. */
const HOST_TEXT_LIMIT = 800;

/** Writes what was decided and what the effects brought, in the one transaction the engine guards. */
@Injectable()
export class InstanceCommit {
  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async write(tx: WriteTx, context: Context): Promise<CommitResult> {
    const result: { dueAt?: number | null } = {};
    for (const outcome of context.outcomes) {
      const dueAt = await this.record(tx, context, outcome as Outcome<InstanceEffect>); // this reconciler's own effects
      if (dueAt !== undefined) result.dueAt = dueAt;
    }
    if (context.decision.because !== null) await this.changeStatus(tx, context, context.decision.because);
    return result;
  }

  private async changeStatus(tx: WriteTx, { id, snapshot, decision, now }: Context, because: string): Promise<void> {
    const { record, fleet } = snapshot;
    const { changes } = decision;
    await changeInstance(tx, {
      id,
      status: decision.status,
      now,
      reason: changes.reason ?? null,
      message: changes.message ?? null,
      started_at: changes.startedAt ?? null,
      finished_at: changes.finishedAt ?? null,
      idle_since: changes.idleSince === undefined ? record.idleSince : changes.idleSince,
      deleted: decision.status === 'terminated' && !staysVisible(snapshot, changes.reason ?? null),
    });
    if (decision.status === 'terminated') await endPricedInterval(tx, id, now);
    if (record.status === 'provisioning' && decision.status === 'terminating')
      await noteFailedStart(tx, snapshot, changes.message ?? null);
    const target = { type: 'instance' as const, id, name: record.name, projectId: record.projectId };
    const text = `Instance status changed ${record.status.toUpperCase()} -> ${decision.status.toUpperCase()} (${because})`;
    await this.events.record(tx, {
      message: text,
      actorId: null,
      targets: [fleet === null ? target : { ...target, fleetId: fleet.id }],
    });
    // A job waits for its machine to be there and connected; whether it counts as busy is no news to it.
    if (decision.status !== 'launching' && decision.status !== 'busy') {
      const jobs = await findJobsOn(tx, id);
      await this.wake.rows(tx, 'jobs', jobs.map((job) => job.id)); // prettier-ignore
    }
    if (decision.status !== 'launching') await wakeVolumesOf(tx, this.wake, id);
    if (fleet !== null && (decision.status === 'terminated' || decision.status === 'terminating')) {
      await this.wake.rows(tx, 'fleets', [fleet.id]);
    }
    // Capacity came, went, or is counted now: submitted jobs may fit.
    this.wake.topic(tx, 'placement');
    this.wake.host(tx, 'connections', id);
  }

  /** Returns when to look again, where the outcome says so. */
  private async record(
    tx: WriteTx,
    context: Context,
    outcome: Outcome<InstanceEffect>,
  ): Promise<number | null | undefined> {
    switch (outcome.effect.do) {
      case 'plan':
        return this.recordPlan(tx, context, outcome);
      case 'launch':
        return this.recordLaunch(tx, context, outcome);
      case 'settle':
        return this.recordSettle(tx, context, outcome);
      case 'poll':
        return this.recordPoll(tx, context, outcome);
      case 'onboard':
        return this.recordOnboard(tx, context, outcome);
      case 'install-agent':
        return this.recordInstallAgent(tx, context, outcome);
      case 'replace-agent':
        return this.recordReplaceAgent(tx, context, outcome);
      case 'terminate':
        return this.recordTerminate(tx, context, outcome);
    }
  }

  private async recordPlan(tx: WriteTx, context: Context, outcome: Outcome<InstanceEffect>) {
    const { id, snapshot, now } = context;
    if (!outcome.ok) {
      await setLastError(tx, id, outcome.error);
      return undefined;
    }
    const plan = outcome.value as PlanOutcome; // what `plan` returns
    if ('waits' in plan) return now + LIMITS.clusterLeadMs;
    if ('none' in plan) {
      await tx.execute('UPDATE instances SET termination_message = ? WHERE id = ?', [plan.none, id]);
      return now;
    }
    const { offer, zone, blocks, maxNameLength } = plan;
    const number = snapshot.attempts.length + 1;
    const random = () => this.world.random.next();
    const name = cloudName({ project: snapshot.projectName, name: snapshot.record.name }, random, maxNameLength);
    await insertAttempt(tx, {
      id: rowId(this.world),
      instance_id: id,
      attempt: number,
      offer: writeJson(offer),
      backend_type: offer.backend,
      region: offer.region,
      zone,
      cloud_name: name,
      token: this.world.ids.uuid(),
      created_at: now,
    });
    await changePlace(tx, {
      id,
      offer: writeJson(offer),
      price: offer.price,
      backend_type: offer.backend,
      region: offer.region,
      zone,
      cloud_name: name,
      total_blocks: blocks,
    });
    const openAttempt = { attempt: number, createdAt: now, idempotency: plan.idempotency, unknownOutcomes: 0 };
    return this.goOn(tx, context, { openAttempt, attemptsMade: number });
  }

  /**
   * What is decided next with this news, in the same commit, where that is only another status: what it brings has to wait for the commit.
   * Returns when to look again.
   */
  private async goOn(tx: WriteTx, context: Context, news: Partial<UnlaunchedInstance>): Promise<number | null> {
    const { snapshot, now } = context;
    const known = snapshot.snapshot;
    if ((known.status !== 'pending' && known.status !== 'launching') || known.given) return now;
    const decision = decideInstance({ ...known, ...news }, now);
    if (decision.because === null || decision.effects.length > 0) return now;
    await this.changeStatus(tx, { ...context, decision }, decision.because);
    return decision.dueAt;
  }

  private async recordLaunch(tx: WriteTx, context: Context, outcome: Outcome<InstanceEffect>) {
    const { id, snapshot, now } = context;
    const attempt = snapshot.attempts.at(-1);
    if (attempt === undefined) return undefined;
    if (!outcome.ok) {
      const { error } = outcome;
      const isDefinite = isDefiniteFailure(error, attempt, now);
      // This call is answered; one before it may not be.
      const isAnswered = isDefiniteFailure(error, { askedAt: null }, now);
      await tx.execute(
        `UPDATE provisioning_attempts SET outcome = ?, asked_at = CASE WHEN ? THEN CAST(? AS bigint) ELSE asked_at END,
           failure_kind = ?, failure_blocks = ?, message = ?, finished_at = CAST(? AS bigint)
         WHERE id = ?`,
        [
          isDefinite ? 'failed' : 'unknown',
          isAnswered,
          attempt.askedAt,
          isBackendError(error) ? error.failure.kind : 'outage',
          isBackendError(error) ? error.failure.blocks : 'offer',
          statusText(error),
          isDefinite ? now : null,
          attempt.id,
        ],
      );
      await setLastError(tx, id, error);
      return isDefinite ? now : undefined;
    }
    const state = outcome.value as MachineState; // what `create` returns
    if (state.state === 'gone') {
      await finishAttempt(tx, attempt.id, 'failed', 'the cloud has no such machine', now);
      return now;
    }
    await finishAttempt(tx, attempt.id, 'created', null, now);
    // This call is answered; one before it may not be.
    await setAskedAt(tx, attempt.id, attempt.askedAt);
    await writeMachine(tx, id, machineOf(state));
    await this.price(tx, context, attempt);
    this.wake.host(tx, 'connections', id);
    return this.goOn(tx, context, { openAttempt: null, machine: state.state === 'ready' ? 'ready' : 'starting' });
  }

  private price(tx: WriteTx, { id, snapshot, now }: Context, { offer }: AttemptRecord): Promise<void> {
    const { projectId } = snapshot.record;
    return beginPricedInterval(tx, { id: rowId(this.world), instanceId: id, projectId, price: offer.price, now });
  }

  private async recordSettle(tx: WriteTx, context: Context, outcome: Outcome<InstanceEffect>) {
    const { id, snapshot, now } = context;
    const attempt = snapshot.attempts.at(-1);
    if (attempt === undefined) return undefined;
    if (!outcome.ok) {
      await setLastError(tx, id, outcome.error);
      return undefined;
    }
    const settled = outcome.value as SettleOutcome; // what `settle` returns
    if ('undecided' in settled) return undefined;
    if ('repeatable' in settled) return now;
    if ('absent' in settled) {
      await finishAttempt(tx, attempt.id, 'failed', 'the create call never reached the cloud', now);
      return now;
    }
    await finishAttempt(tx, attempt.id, 'created', null, now);
    await setAskedAt(tx, attempt.id, null);
    await writeMachine(tx, id, machineOf({ state: 'pending', ref: settled.found }));
    await this.price(tx, context, attempt);
    return this.goOn(tx, context, { openAttempt: null, machine: 'starting' });
  }

  private async recordPoll(tx: WriteTx, { id, snapshot, now }: Context, outcome: Outcome<InstanceEffect>) {
    if (!outcome.ok) {
      await setLastError(tx, id, outcome.error);
      return undefined;
    }
    const state = outcome.value as MachineState | null; // what `get` returns
    const known = snapshot.record.machine;
    if (state === null || known === null) return undefined;
    const machine = state.state === 'gone' ? { ...known, state: 'gone' as const } : withNews(known, machineOf(state));
    await writeMachine(tx, id, machine);
    if (known.state === 'pending' && machine.state === 'ready') await wakePeersOfMachine(tx, this.wake, id);
    this.wake.host(tx, 'connections', id);
    return machine.state === 'gone' || machine.state === 'failed' ? now : undefined;
  }

  private async recordOnboard(tx: WriteTx, { id, snapshot, now }: Context, outcome: Outcome<InstanceEffect>) {
    if (!outcome.ok) {
      const lasting = isLastingHostError(outcome.error);
      const message = statusText(outcome.error, HOST_TEXT_LIMIT);
      const problem = { message, lasting };
      const failedTries = snapshot.record.progress.failedTries + 1;
      await changeProgress(tx, id, { step: null, failedTries, problem });
      await setLastError(tx, id, outcome.error, HOST_TEXT_LIMIT);
      return lasting ? now : undefined;
    }
    const { machine, offer, blocks } = outcome.value as ReadyHost; // what `onboard` returns
    await writeMachine(tx, id, machine);
    await changeProgress(tx, id, { step: 'waiting for the agent', failedTries: 0, problem: null });
    await tx.execute(
      `UPDATE instances SET offer = ?, price = ?, region = ?, total_blocks = ?, last_error = NULL WHERE id = ?`,
      [writeJson(offer), offer.price, offer.region, blocks, id],
    );
    this.wake.host(tx, 'connections', id);
    return now;
  }

  private async recordInstallAgent(tx: WriteTx, { id, snapshot }: Context, outcome: Outcome<InstanceEffect>) {
    const { machine, progress } = snapshot.record;
    if (machine === null) return undefined;
    if (!outcome.ok) {
      const problem = {
        message: statusText(outcome.error, HOST_TEXT_LIMIT),
        lasting: isLastingHostError(outcome.error),
      };
      await changeProgress(tx, id, { step: null, failedTries: progress.failedTries + 1, problem });
      await setLastError(tx, id, outcome.error, HOST_TEXT_LIMIT);
      return undefined;
    }
    await writeMachine(tx, id, { ...machine, ...(outcome.value as InstalledAgent) }); // what `installAgent` returns
    await changeProgress(tx, id, { step: 'waiting for the agent', failedTries: 0, problem: null });
    await tx.execute('UPDATE instances SET last_error = NULL WHERE id = ?', [id]);
    this.wake.host(tx, 'connections', id);
    return undefined;
  }

  private async recordReplaceAgent(tx: WriteTx, { id, snapshot, now }: Context, outcome: Outcome<InstanceEffect>) {
    const { machine } = snapshot.record;
    if (machine === null) return undefined;
    if (outcome.ok) {
      await writeMachine(tx, id, { ...machine, agentDigest: outcome.value as string, replaceAgentAt: null });
      return now;
    }
    const replaceAgentAt = now + LIMITS.agentReplaceRetryMs;
    await writeMachine(tx, id, { ...machine, replaceAgentAt });
    await setLastError(tx, id, outcome.error);
    return replaceAgentAt;
  }

  private async recordTerminate(tx: WriteTx, { id, snapshot, now }: Context, outcome: Outcome<InstanceEffect>) {
    const known = snapshot.record.machine ?? unknownMachine(snapshot);
    if (outcome.ok && (outcome.value as TerminateOutcome) === 'done') {
      await writeMachine(tx, id, { ...known, state: 'gone' });
      return now;
    }
    if (!outcome.ok)
      await setLastError(tx, id, outcome.error, snapshot.record.hostName === null ? undefined : HOST_TEXT_LIMIT);
    const failures = known.terminateFailures + 1;
    const nextTerminateAt = now + doublingDelayMs(failures - 1, LIMITS.terminateRetryMinMs, LIMITS.terminateRetryMaxMs);
    await writeMachine(tx, id, { ...known, terminateFailures: failures, nextTerminateAt });
    await tx.execute(
      'UPDATE instances SET first_termination_at = COALESCE(first_termination_at, CAST(? AS bigint)) WHERE id = ?',
      [now, id],
    );
    return nextTerminateAt;
  }
}

/** Beside the failed create calls, which say where it need not be tried again, and why no machine could be had. */
async function noteFailedStart(tx: WriteTx, { attempts }: InstanceView, message: string | null): Promise<void> {
  const attempt = attempts.at(-1);
  if (attempt === undefined || message === null) return;
  await tx.execute(
    `UPDATE provisioning_attempts SET failure_kind = 'failed-start', failure_blocks = 'offer', message = ? WHERE id = ?`,
    [statusText(message), attempt.id],
  );
}

/** A host that could not be used is shown with its reason until its fleet is applied again or deleted. */
function staysVisible({ record, fleet }: InstanceView, reason: string | null): boolean {
  const because = reason ?? record.terminationReason;
  return record.hostName !== null && fleet?.status !== 'terminating' && because !== 'terminated_by_user';
}

/** The agent on a machine that was made without one stays where it is; the machine's address may have changed. */
function withNews(known: MachineRecord, news: MachineRecord): MachineRecord {
  const { agent } = known;
  // What others were told stays known when the machine fails.
  const hostname = news.hostname ?? known.hostname;
  const internalIp = news.internalIp ?? known.internalIp;
  const merged = { ...known, ...news, hostname, internalIp };
  if (agent?.via !== 'ssh' || news.agent !== null) return merged;
  const { host, port, user } = news.login ?? agent;
  return { ...merged, agent: { ...agent, host, port, user } };
}

function machineOf(state: Exclude<MachineState, { state: 'gone' }>): MachineRecord {
  const isReady = state.state === 'ready';
  return {
    ref: state.ref,
    state: state.state,
    message: state.state === 'failed' ? state.message : state.state === 'pending' ? (state.reason ?? null) : null,
    agent: isReady && state.agent.via !== 'login' ? state.agent : null,
    ...(isReady && state.agent.via === 'login' ? { login: state.agent } : {}),
    hostname: isReady ? state.hostname : null,
    internalIp: isReady ? state.internalIp : null,
    terminateFailures: 0,
    nextTerminateAt: null,
  };
}

function unknownMachine({ record }: InstanceView): MachineRecord {
  const ref = {
    cloudName: record.cloudName ?? record.name,
    machineId: null,
    region: record.region ?? '',
    zone: record.zone,
    backendData: null,
  };
  return {
    ref,
    state: 'unknown',
    message: null,
    agent: null,
    hostname: null,
    internalIp: null,
    terminateFailures: 0,
    nextTerminateAt: null,
  };
}
