import { Inject, Injectable, Logger } from '@nestjs/common';
import type { WriteTx } from '../persistence/transaction.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';
import type { NewEvent } from './event.js';

/** Events are written in the transaction they tell of: neither exists without the other. */
@Injectable()
export class EventRecorder {
  private readonly log = new Logger('Events');

  constructor(
    @Inject(WORLD) private readonly world: Pick<World, 'clock' | 'ids'>,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'eventsTtlSeconds'>,
  ) {}

  async record(tx: WriteTx, { message, actorId, targets }: NewEvent): Promise<void> {
    tx.afterCommit(() => this.log.log(`${message} (${targets.map(({ type, name }) => `${type} ${name}`).join(', ')})`));
    if (this.settings.eventsTtlSeconds <= 0) return;
    const id = this.world.ids.uuid();
    const recordedAt = this.world.clock.now();
    await tx.execute('INSERT INTO events (id, message, recorded_at, actor_user_id) VALUES (?, ?, ?, ?)', [
      id,
      message,
      recordedAt,
      actorId,
    ]);
    for (const target of targets) {
      await tx.execute(
        `INSERT INTO event_targets (id, event_id, entity_type, entity_id, entity_name, entity_project_id, run_id, fleet_id, recorded_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          this.world.ids.uuid(),
          id,
          target.type,
          target.id,
          target.name,
          target.projectId,
          target.runId,
          target.fleetId,
          recordedAt,
        ],
      );
    }
  }
}
