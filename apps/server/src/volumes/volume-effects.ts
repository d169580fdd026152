import {
  BackendError,
  type Call,
  type CloudVolume,
  isBackendError,
  type MachineRef,
  type Termination,
  type VolumeSupport,
} from '@dstack/backend-base';
import { arrivalMs, displayBackend, mayHaveMadeMore, mayStillArrive, undecided, type VolumeEffect } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { type ComputeAccount, ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import { beginCreateCall, type Mark } from '../reconcile/begin-create-call.js';
import { lookFirst } from '../reconcile/look-first.js';
import type { ActContext } from '../reconcile/reconciler.js';
import { WORLD, type World } from '../world/world.js';
import type { VolumeRecord } from './volume-record.js';
import type { VolumeView } from './volume-snapshots.js';

const CALL_DEADLINE_MS = 60_000;

export interface PlannedVolume {
  readonly maxNameLength: number;
}

interface Account extends ComputeAccount {
  readonly volumes: VolumeSupport;
}

/** The outside half of a volume's life. */
@Injectable()
export class VolumeEffects {
  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async perform(effect: VolumeEffect, context: ActContext<VolumeView>): Promise<unknown> {
    if (effect.do === 'forget') return undefined;
    const account = await this.account(context.snapshot.record);
    switch (effect.do) {
      case 'plan':
        return { maxNameLength: account.definition.maxNameLength } satisfies PlannedVolume;
      case 'register':
        return account.volumes.register(named(context.snapshot.record), this.call(context));
      case 'create':
        return this.create(account, context);
      case 'attach':
        return this.attach(account, context, effect.instanceId);
      case 'detach':
        return this.detach(account, context, effect);
      case 'delete':
        return this.delete(account, context);
      default:
        return undecided(effect);
    }
  }

  private async create(account: Account, context: ActContext<VolumeView>): Promise<CloudVolume> {
    const { record } = context.snapshot;
    const { cloudName, token } = record;
    if (cloudName === null || token === null) throw new Error('a volume is created without a name');
    const find = async () => (await this.findMade(account, context)).at(0) ?? null;
    const made = await lookFirst('volume', record, account.definition, context.now, find);
    if (made !== null) return made;
    const owner = await this.accounts.owner();
    const tools = {
      clock: this.world.clock,
      signal: context.signal,
      writeDurable: (work: Mark) => this.db.writeDurable(work),
    };
    const { id, status, askedAt } = record;
    const call = await beginCreateCall(tools, { table: 'volumes', id, status, askedAt, isOpen: 'cloud IS NULL' });
    return account.volumes.create({ configuration: named(record), token, cloudName, owner }, call);
  }

  private async attach(
    account: Account,
    context: ActContext<VolumeView>,
    instanceId: string,
  ): Promise<{ deviceName: string | null }> {
    const { cloud, ref } = await this.pairOf(context, instanceId);
    const call = this.call(context);
    await this.markAsked(context.id, instanceId, { attach: true });
    try {
      return await account.volumes.attach(cloud, ref, call);
    } catch (error) {
      if (!isBackendError(error) || error.failure.kind === 'outage') throw error;
      // What is refused for a machine that is no more is no trouble of the volume: the job may get another machine.
      const { state } = await account.compute.get(ref, this.call(context));
      if (state !== 'gone' && state !== 'failed') throw error;
      throw new BackendError({ kind: 'outage', blocks: 'offer' }, `its machine is ${state}: ${error.message}`, {
        cause: error,
      });
    }
  }

  private async detach(
    account: Account,
    context: ActContext<VolumeView>,
    { instanceId, force }: Extract<VolumeEffect, { do: 'detach' }>,
  ): Promise<Termination> {
    const { cloud, ref } = await this.pairOf(context, instanceId);
    const call = this.call(context);
    await this.markAsked(context.id, instanceId, { attach: false });
    return account.volumes.detach(cloud, ref, { force }, call);
  }

  /** Before the call: whoever finds the row after a crash knows that it may have had an effect. */
  private async markAsked(
    volumeId: string,
    instanceId: string,
    { attach }: { readonly attach: boolean },
  ): Promise<void> {
    const marked = await this.db.writeDurable(async (tx) => {
      const now = await tx.now();
      return attach
        ? tx.execute(
            `UPDATE volume_attachments SET asked_at = ?, unanswered_at = ?
             WHERE volume_id = ? AND instance_id = ? AND released_at IS NULL`,
            [now, now, volumeId, instanceId],
          )
        : tx.execute('UPDATE volume_attachments SET unanswered_at = ? WHERE volume_id = ? AND instance_id = ?', [
            now,
            volumeId,
            instanceId,
          ]);
    });
    if (marked !== 1) throw new Error('somebody else changed the volume meanwhile');
  }

  private async delete(account: Account, context: ActContext<VolumeView>): Promise<'done' | 'pending'> {
    const { record } = context.snapshot;
    const { cloud } = record;
    if (cloud !== null && !mayHaveMadeMore(true, record)) return account.volumes.delete(cloud, this.call(context));
    // Nobody knows what a create call without an answer made, or may still make.
    let outcome: 'done' | 'pending' = mayStillArrive(record, arrivalMs(account.definition), context.now)
      ? 'pending'
      : 'done';
    const made = await this.findMade(account, context);
    const known = cloud === null ? [] : [cloud];
    for (const each of [...known, ...made.filter(({ volumeId }) => volumeId !== cloud?.volumeId)])
      if ((await account.volumes.delete(each, this.call(context))) === 'pending') outcome = 'pending';
    return outcome;
  }

  private async findMade({ volumes }: Account, context: ActContext<VolumeView>): Promise<CloudVolume[]> {
    const { cloudName, token } = context.snapshot.record;
    const listed = await volumes.list(await this.accounts.owner(), this.call(context));
    return listed.filter((each) => each.cloudName === cloudName || (token !== null && each.token === token));
  }

  private async pairOf(
    { snapshot: { record, attachments } }: ActContext<VolumeView>,
    instanceId: string,
  ): Promise<{ cloud: CloudVolume; ref: MachineRef }> {
    const ref = attachments.find((each) => each.record.instanceId === instanceId)?.instance?.machine?.ref;
    if (record.cloud === null || ref === undefined)
      throw new Error('a volume or a machine is not there to be attached');
    return { cloud: record.cloud, ref };
  }

  /** @throws {BackendError} when its backend is not configured any more, or has no volumes */
  private async account({ projectId, backendType }: VolumeRecord): Promise<Account> {
    const account = await this.accounts.open(projectId, backendType);
    const { volumes } = account.compute;
    if (volumes !== undefined) return { ...account, volumes };
    const text = `backend ${displayBackend(backendType)} has no network volumes in this version`;
    throw new BackendError({ kind: 'rejected', blocks: 'account' }, text);
  }

  private call({ signal }: ActContext<VolumeView>): Call {
    return { signal, deadline: this.world.clock.now() + CALL_DEADLINE_MS };
  }
}

function named({ configuration, name }: VolumeRecord): VolumeRecord['configuration'] {
  return { ...configuration, name };
}
