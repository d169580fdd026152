import { Inject, Injectable, Logger } from '@nestjs/common';
import { insertAtEnd } from '../persistence/insert-rows.js';
import type { WriteTx } from '../persistence/transaction.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { rowId } from '../world/row-id.js';
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
    const id = rowId(this.world);
    const recordedAt = this.world.clock.now();
    insertAtEnd(tx, 'events', { id, message, recorded_at: recordedAt, actor_user_id: actorId });
    for (const target of targets)
      insertAtEnd(tx, 'event_targets', {
        event_id: id,
        entity_type: target.type,
        entity_id: target.id,
        entity_name: target.name,
        entity_project_id: target.projectId,
        run_id: target.runId,
        fleet_id: target.fleetId,
        recorded_at: recordedAt,
      });
  }
}
