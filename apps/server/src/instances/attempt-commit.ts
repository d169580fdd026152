import { isBackendError, type MachineState, statusText } from '@dstack/backend-base';
import {
  type AttemptNews,
  cloudName,
  type CreateFailure,
  type InstanceDecision,
  type InstanceEffect,
  isDefiniteFailure,
  isRefusal,
  LIMITS,
} from '@dstack/core';
import type { WriteTx } from '../persistence/transaction.js';
import type { CommitContext, Outcome } from '../reconcile/reconciler.js';
import { writeJson } from '../reconcile/stored-json.js';
import type { Wake } from '../reconcile/wake.js';
import { rowId } from '../world/row-id.js';
import type { World } from '../world/world.js';
import type { AttemptRecord } from './attempt-record.js';
import {
  changePlace,
  finishAttempt,
  insertAttempt,
  setAskedAt,
  setLastError,
  writeMachine,
} from './instance-changes.js';
import type { SettleOutcome } from './instance-effects.js';
import type { JoinedGroup, PlanOutcome } from './instance-plans.js';
import type { InstanceView } from './instance-snapshots.js';
import { machineOf } from './machine-of.js';
import { beginPricedInterval } from './priced-intervals.js';

type Context = CommitContext<InstanceView, InstanceDecision>;

/** Writes where a machine is tried, what became of it, and from when on it costs money. Returns when to look again. */
export class AttemptCommit {
  constructor(
    private readonly wake: Wake,
    private readonly world: World,
    /** Decides what comes next with this news; returns when to look again. */
    private readonly goOn: (tx: WriteTx, context: Context, news: AttemptNews) => Promise<number | null>,
  ) {}

  async recordPlan(tx: WriteTx, context: Context, outcome: Outcome<InstanceEffect>) {
    const { id, snapshot, now } = context;
    if (!outcome.ok) {
      await setLastError(tx, id, outcome.error);
      return undefined;
    }
    const plan = outcome.value as PlanOutcome; // what `plan` returns
    if ('waits' in plan) return now + LIMITS.clusterLeadMs;
    if ('joins' in plan) return this.recordJoin(tx, context, plan.joins);
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

  /** Of one attempt, which is the first one's, all get their machines; each has its price. */
  private async recordJoin(tx: WriteTx, context: Context, { first, ref }: JoinedGroup): Promise<number | null> {
    const { id } = context;
    const { offer } = first;
    await changePlace(tx, {
      id,
      offer: writeJson(offer),
      price: offer.price,
      backend_type: first.backendType,
      region: first.region,
      zone: first.zone,
      cloud_name: first.cloudName,
      total_blocks: 1,
    });
    await writeMachine(tx, id, machineOf({ state: 'pending', ref }));
    await this.price(tx, context, first);
    this.wake.host(tx, 'connections', id);
    return this.goOn(tx, context, { openAttempt: null, machine: 'starting' });
  }

  async recordLaunch(tx: WriteTx, context: Context, outcome: Outcome<InstanceEffect>) {
    const { id, snapshot, now } = context;
    const attempt = snapshot.attempts.at(-1);
    if (attempt === undefined) return undefined;
    if (!outcome.ok) {
      const { error } = outcome;
      const isDefinite = isDefiniteFailure(failureOf(error), attempt, now);
      // This call is answered; one before it may not be.
      const isAnswered = isRefusal(failureOf(error));
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

  async recordSettle(tx: WriteTx, context: Context, outcome: Outcome<InstanceEffect>) {
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

  private price(tx: WriteTx, { id, snapshot, now }: Context, { offer }: AttemptRecord): Promise<void> {
    const { projectId } = snapshot.record;
    return beginPricedInterval(tx, { id: rowId(this.world), instanceId: id, projectId, price: offer.price, now });
  }
}

/** Beside the failed create calls, which say where it need not be tried again, and why no machine could be had. */
export async function noteFailedStart(tx: WriteTx, { attempts }: InstanceView, message: string | null): Promise<void> {
  const attempt = attempts.at(-1);
  if (attempt === undefined || message === null) return;
  await tx.execute(
    `UPDATE provisioning_attempts SET failure_kind = 'failed-start', failure_blocks = 'offer', message = ? WHERE id = ?`,
    [statusText(message), attempt.id],
  );
}

function failureOf(error: unknown): CreateFailure | null {
  return isBackendError(error) ? error.failure : null;
}
