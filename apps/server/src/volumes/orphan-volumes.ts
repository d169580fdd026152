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

/** Looks whether an account has volumes of this installation that nobody will delete, and does. */
@Injectable()
export class OrphanVolumes {
  private readonly log = new Logger('Orphans');

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
    for (const { volume } of findOrphanVolumes(facts, known)) {
      const outcome = await volumes.delete(volume, this.call());
      if (outcome === 'pending') continue;
      const name = volume.cloudName ?? volume.volumeId;
      const message = `Volume ${name} of backend ${displayBackend(account.type)} is deleted: no volume of this server is behind it`;
      this.log.warn(message);
      await this.db.write((tx) =>
        this.events.record(tx, { message, actorId: null, targets: [projectTarget(project.id, project.name)] }),
      );
    }
  }

  /** Of all projects: several may share an account of the cloud. */
  private async known(type: InternalBackendType): Promise<KnownVolume[]> {
    const records = await this.db.read((tx) => findVolumes(tx, 'backend_type = ? AND deleted = ?', [type, false]));
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
function mayBeMade({ status }: VolumeRecord): boolean {
  return status === 'submitted' || status === 'provisioning' || status === 'deleting';
}

function factOf(volume: ListedVolume) {
  return { volumeId: volume.volumeId, cloudName: volume.cloudName ?? null, token: volume.token ?? null, volume };
}
