import type { ListedVolume } from '@dstack/backend-base';
import { displayBackend, findOrphanVolumes, type InternalBackendType, type KnownVolume } from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import { type ComputeAccount, ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import { projectTarget } from '../projects/project-target.js';
import { WORLD, type World } from '../world/world.js';
import { findVolumes, type VolumeRecord } from './volume-record.js';

const CALL_MS = 60_000;

/** Looks whether an account has volumes of this installation that nobody will delete; it deletes what it remembers, and tells of the rest. */
@Injectable()
export class OrphanVolumes {
  private readonly log = new Logger('Orphans');
  private readonly told = new Set<string>();

  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async collect(project: { readonly id: string; readonly name: string }, account: ComputeAccount): Promise<void> {
    const { volumes } = account.compute;
    if (volumes === undefined) return;
    // The cloud first, then the rows: a name is on disk before its volume exists.
    const listed = await volumes.list(await this.accounts.owner(), this.call());
    if (listed.length === 0) return;
    const known = await this.known(account.type);
    const facts = listed.map((volume) => factOf(volume));
    for (const { volume: fact, isRemembered } of findOrphanVolumes(facts, known)) {
      const { volume } = fact;
      if (!isRemembered) {
        await this.tell(project, account, volume);
        continue;
      }
      const outcome = await volumes.delete(volume, this.call());
      if (outcome === 'pending') continue;
      const name = volume.cloudName ?? volume.volumeId;
      const message = `Volume ${name} of backend ${displayBackend(account.type)} is deleted: its volume of this server is gone or has another one`;
      this.log.warn(message);
      await this.db.write((tx) =>
        this.events.record(tx, { message, actorId: null, targets: [projectTarget(project.id, project.name)] }),
      );
    }
  }

  /** It may hold somebody's data: a person decides. Once for as long as the server runs. */
  private async tell(
    project: { readonly id: string; readonly name: string },
    { type }: ComputeAccount,
    { volumeId, cloudName }: ListedVolume,
  ): Promise<void> {
    if (this.told.has(volumeId)) return;
    const name = cloudName ? `${volumeId} (${cloudName})` : volumeId;
    const message =
      `Backend ${displayBackend(type)} has volume ${name} of this server, which its database does not know. ` +
      'It is kept: delete it in the cloud, or use it with volume_id';
    await this.db.write((tx) =>
      this.events.record(tx, { message, actorId: null, targets: [projectTarget(project.id, project.name)] }),
    );
    this.told.add(volumeId);
    this.log.warn(message);
  }

  /** Of all projects: several may share an account of the cloud. */
  private async known(type: InternalBackendType): Promise<KnownVolume[]> {
    const records = await this.db.read((tx) => findVolumes(tx, 'backend_type = ?', [type]));
    return records.map((record) => ({
      volumeId: record.cloud?.volumeId ?? null,
      cloudName: record.cloudName,
      token: record.token,
      isOpen: mayBeMade(record),
    }));
  }

  private call() {
    return { signal: AbortSignal.timeout(CALL_MS), deadline: this.world.clock.now() + CALL_MS };
  }
}

/** One that is being deleted finds what it made itself. */
function mayBeMade({ status, deleted }: VolumeRecord): boolean {
  if (deleted) return false;
  return status === 'submitted' || status === 'provisioning' || status === 'deleting';
}

function factOf(volume: ListedVolume) {
  return { volumeId: volume.volumeId, cloudName: volume.cloudName ?? null, token: volume.token ?? null, volume };
}
