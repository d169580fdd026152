import { isBackendError, type MachineState, statusText } from '@dstack/backend-base';
import {
  cloudName,
  type GatewayReplicaDecision,
  type GatewayReplicaEffect,
  isFinalFailure,
  isRefusal,
  LIMITS,
  type Trouble,
  troubleAfter,
} from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import { isLastingHostError } from '../hosts/hosts.js';
import type { WriteTx } from '../persistence/transaction.js';
import type { CommitContext, CommitResult, Outcome } from '../reconcile/reconciler.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import type { JoinedBalancer } from './gateway-balancers.js';
import type { PlannedReplica } from './gateway-replica-effects.js';
import { type GatewayMachine, loginOf } from './gateway-replica-record.js';
import type { GatewayReplicaView } from './gateway-replica-snapshots.js';
import { gatewayTarget } from './gateway-target.js';

type Context = CommitContext<GatewayReplicaView, GatewayReplicaDecision>;

const TEXT_LIMIT = 800;

/** Writes what was decided about a gateway replica and what the effects brought. */
@Injectable()
export class GatewayReplicaCommit {
  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async write(tx: WriteTx, context: Context): Promise<CommitResult> {
    const { decision, outcomes, id, snapshot } = context;
    const dues: number[] = [];
    for (const outcome of outcomes) {
      const due = await this.record(tx, context, outcome as Outcome<GatewayReplicaEffect>); // this reconciler's own effects
      if (due !== null) dues.push(due);
    }
    const { message } = decision.changes;
    if (message !== undefined)
      await tx.execute('UPDATE gateway_replicas SET status_message = ? WHERE id = ?', [message, id]);
    if (decision.because !== null) await this.changeStatus(tx, context, decision.because);
    if (decision.because !== null || message !== undefined) await this.wake.rows(tx, 'gateways', [snapshot.gateway.id]);
    return dues.length === 0 ? {} : { dueAt: Math.min(...dues, decision.dueAt ?? Infinity) };
  }

  private async changeStatus(tx: WriteTx, context: Context, because: string): Promise<void> {
    const { id, decision, snapshot, now } = context;
    const { record } = snapshot;
    await tx.execute(
      'UPDATE gateway_replicas SET status = ?, status_changed_at = ?, trouble = NULL, unreachable_since = NULL WHERE id = ?',
      [decision.status, now, id],
    );
    if (decision.status !== 'running') await tx.execute('DELETE FROM gateway_registrations WHERE replica_id = ?', [id]);
    await this.tell(
      tx,
      context,
      `Gateway replica ${record.replicaNum} status changed ${record.status.toUpperCase()} -> ${decision.status.toUpperCase()} (${because})`,
    );
    this.wake.gateways(tx);
  }

  /** Returns when to look again, where the outcome says so. */
  private async record(tx: WriteTx, context: Context, outcome: Outcome<GatewayReplicaEffect>): Promise<number | null> {
    const { id, now } = context;
    if (!outcome.ok) return this.fail(tx, context, outcome.effect, outcome.error);
    switch (outcome.effect.do) {
      case 'plan':
        return this.recordPlan(tx, context, outcome.value as PlannedReplica);
      case 'create':
      case 'poll':
        return this.recordMachine(tx, context, outcome.value as MachineState | null);
      case 'install':
        await tx.execute('UPDATE gateway_replicas SET installed_digest = ?, trouble = NULL WHERE id = ?', [
          outcome.value as string, // what `install` returns
          id,
        ]);
        this.wake.gateways(tx);
        return now;
      case 'join':
        return this.recordBalancer(tx, context, outcome.value as JoinedBalancer);
      case 'terminate':
        return this.recordTermination(tx, context, outcome.value as 'done' | 'pending');
    }
  }

  private async recordPlan(
    tx: WriteTx,
    { id, snapshot, now }: Context,
    { maxNameLength }: PlannedReplica,
  ): Promise<number> {
    const parts = { project: snapshot.projectName, name: snapshot.gateway.name };
    const name = cloudName(parts, () => this.world.random.next(), maxNameLength);
    await tx.execute('UPDATE gateway_replicas SET cloud_name = ?, token = ?, trouble = NULL WHERE id = ?', [
      name,
      this.world.ids.uuid(),
      id,
    ]);
    return now;
  }

  private async recordMachine(tx: WriteTx, context: Context, state: MachineState | null): Promise<number | null> {
    const { id, now, snapshot } = context;
    if (state === null) return null;
    const known = snapshot.record.machine;
    const machine = machineOf(state, known);
    if (machine === null) return null;
    // This call is answered; one before it may not be.
    await tx.execute(
      'UPDATE gateway_replicas SET machine = ?, asked_at = CAST(? AS bigint), trouble = NULL WHERE id = ?',
      [writeJson(machine), snapshot.record.askedAt, id],
    );
    if (state.state === 'pending') return now + LIMITS.gatewayRetryMinMs;
    return known?.state === machine.state ? null : now;
  }

  private async recordBalancer(tx: WriteTx, { id, snapshot, now }: Context, balancer: JoinedBalancer): Promise<number> {
    const { machine } = snapshot.record;
    if (machine === null) return now;
    await tx.execute('UPDATE gateway_replicas SET machine = ?, trouble = NULL WHERE id = ?', [
      writeJson({ ...machine, balancer } satisfies GatewayMachine),
      id,
    ]);
    return now;
  }

  private async recordTermination(
    tx: WriteTx,
    { id, snapshot, now }: Context,
    outcome: 'done' | 'pending',
  ): Promise<number> {
    if (outcome === 'pending') return now + LIMITS.terminateRetryMinMs;
    const { machine } = snapshot.record;
    const gone: GatewayMachine | null = machine === null ? null : { ...machine, state: 'gone' };
    await tx.execute(
      'UPDATE gateway_replicas SET machine = ?, asked_at = NULL, visited = ?, installed_digest = NULL, trouble = NULL WHERE id = ?',
      [gone === null ? null : writeJson(gone), false, id],
    );
    return now;
  }

  private async fail(tx: WriteTx, context: Context, effect: GatewayReplicaEffect, error: unknown): Promise<number> {
    const { id, snapshot, now } = context;
    const { record } = snapshot;
    const isEnding = record.status === 'terminating';
    const trouble = troubleOf(
      error,
      record.trouble,
      now,
      isEnding ? LIMITS.terminateRetryMaxMs : LIMITS.gatewayRetryMaxMs,
    );
    await tx.execute('UPDATE gateway_replicas SET trouble = ?, last_error = ? WHERE id = ?', [
      writeJson(trouble),
      trouble.message,
      id,
    ]);
    // This call is answered; one before it may not be.
    if (effect.do === 'create' && isBackendError(error) && isRefusal(error.failure))
      await tx.execute('UPDATE gateway_replicas SET asked_at = CAST(? AS bigint) WHERE id = ?', [record.askedAt, id]);
    if (record.trouble?.message !== trouble.message)
      await this.tell(tx, context, `Gateway replica ${record.replicaNum}: ${trouble.message}`);
    return trouble.isFinal && !isEnding ? now : trouble.nextTryAt;
  }

  private tell(tx: WriteTx, { snapshot: { gateway } }: Context, message: string): Promise<void> {
    return this.events.record(tx, { message, actorId: null, targets: [gatewayTarget(gateway)] });
  }
}

function machineOf(state: MachineState, known: GatewayMachine | null): GatewayMachine | null {
  const balancer = known?.balancer === undefined ? {} : { balancer: known.balancer };
  switch (state.state) {
    case 'gone':
      return known === null ? null : { ...known, state: 'gone' };
    case 'pending':
      return { ref: state.ref, state: 'pending', message: state.reason ?? null, login: known?.login ?? null, hostname: known?.hostname ?? null, ...balancer }; // prettier-ignore
    case 'failed':
      return { ref: state.ref, state: 'failed', message: state.message, login: null, hostname: null, ...balancer };
    case 'ready':
      return { ref: state.ref, state: 'ready', message: null, login: loginOf(state.agent), hostname: state.hostname, ...balancer }; // prettier-ignore
  }
}

function troubleOf(error: unknown, last: Trouble | null, now: number, maxMs: number): Trouble {
  const message = statusText(error, TEXT_LIMIT);
  const failed = isBackendError(error)
    ? { message, isFinal: isFinalFailure(error.failure.kind), retryAt: error.failure.retryAt }
    : { message, isFinal: isLastingHostError(error) };
  return troubleAfter(failed, last, { minMs: LIMITS.gatewayRetryMinMs, maxMs }, now);
}
