import { Inject, Injectable } from '@nestjs/common';
import { type MachineState, statusText } from '@dstack/backend-base';
import {
  type AttemptNews,
  goOn,
  type InstanceDecision,
  type InstanceEffect,
  type InstanceTerminationReason,
  LIMITS,
  staysVisible,
  terminateAgain,
} from '@dstack/core';
import type { WriteTx } from '../persistence/transaction.js';
import { EventRecorder } from '../events/event-recorder.js';
import { changeProgress } from '../hosts/host-progress.js';
import { type InstalledAgent, isLastingHostError, type ReadyHost } from '../hosts/hosts.js';
import { wakePeersOfMachine } from '../jobs/gang.js';
import { findJobsOn } from '../jobs/job-record.js';
import { wakeOwedLogs } from '../jobs/owed-logs.js';
import type { CommitContext, CommitResult, Outcome } from '../reconcile/reconciler.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { wakeVolumesOf } from '../volumes/job-volumes.js';
import { WORLD, type World } from '../world/world.js';
import { AttemptCommit, noteFailedStart } from './attempt-commit.js';
import { changeInstance, setLastError, writeMachine } from './instance-changes.js';
import type { TerminateOutcome } from './instance-effects.js';
import type { InstanceView } from './instance-snapshots.js';
import { wakeGroup } from './machine-group.js';
import { machineOf, unknownMachine, withNews } from './machine-of.js';
import { endPricedInterval } from './priced-intervals.js';
import { tenureOf } from './tenure.js';

type Context = CommitContext<InstanceView, InstanceDecision>;

/** What is wrong with somebody's own host comes with what to do about it, to the last word. */
const HOST_TEXT_LIMIT = 800;

/** Writes what was decided and what the effects brought, in the one transaction the engine guards. */
@Injectable()
export class InstanceCommit {
  private readonly attempts: AttemptCommit;

  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) world: World,
  ) {
    this.attempts = new AttemptCommit(wake, world, (tx, context, news) => this.goOn(tx, context, news));
  }

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
      deleted: decision.status === 'terminated' && !isShown(snapshot, changes.reason ?? record.terminationReason),
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
    if (decision.status === 'terminated') await wakeOwedLogs(tx, this.wake, id);
    if (decision.status !== 'launching') await wakeVolumesOf(tx, this.wake, id);
    // The first has a machine: so have they. Or one is free, and the last of them ends all.
    if (record.group !== null) await wakeGroup(tx, this.wake, record.group, id);
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
        return this.attempts.recordPlan(tx, context, outcome);
      case 'launch':
        return this.attempts.recordLaunch(tx, context, outcome);
      case 'settle':
        return this.attempts.recordSettle(tx, context, outcome);
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

  /** Returns when to look again. */
  private async goOn(tx: WriteTx, context: Context, news: AttemptNews): Promise<number | null> {
    const { snapshot, now } = context;
    const decision = goOn(snapshot.snapshot, news, now);
    if (decision?.because == null) return now;
    await this.changeStatus(tx, { ...context, decision }, decision.because);
    return decision.dueAt;
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
      // Whatever calls without an answer have made is gone, too, and none can still arrive.
      await tx.execute(
        'UPDATE provisioning_attempts SET asked_at = NULL WHERE instance_id = ? AND asked_at IS NOT NULL',
        [id],
      );
      return now;
    }
    if (!outcome.ok)
      await setLastError(tx, id, outcome.error, snapshot.record.hostName === null ? undefined : HOST_TEXT_LIMIT);
    const tries = terminateAgain(known, now);
    await writeMachine(tx, id, { ...known, ...tries });
    await tx.execute(
      'UPDATE instances SET first_termination_at = COALESCE(first_termination_at, CAST(? AS bigint)) WHERE id = ?',
      [now, id],
    );
    return tries.nextTerminateAt;
  }
}

function isShown({ record, fleet }: InstanceView, reason: InstanceTerminationReason | null): boolean {
  return staysVisible({ tenure: tenureOf(record), fleetIsGoing: fleet?.status === 'terminating', reason });
}
