import { Inject, Injectable, Logger } from '@nestjs/common';
import { insertRows } from '../persistence/insert-rows.js';
import type { SqlValue, WriteTx } from '../persistence/transaction.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';
import type { NewEvent } from './event.js';

const EVENT_COLUMNS = ['id', 'message', 'recorded_at', 'actor_user_id'];
const TARGET_COLUMNS = ['id', 'event_id', 'entity_type', 'entity_id', 'entity_name', 'entity_project_id', 'run_id', 'fleet_id', 'recorded_at']; // prettier-ignore

interface NewRows {
  readonly events: (readonly SqlValue[])[];
  readonly targets: (readonly SqlValue[])[];
}

/** Events are written in the transaction they tell of: neither exists without the other. */
@Injectable()
export class EventRecorder {
  private readonly log = new Logger('Events');
  private readonly recorded = new WeakMap<WriteTx, NewRows>();

  constructor(
    @Inject(WORLD) private readonly world: Pick<World, 'clock' | 'ids'>,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'eventsTtlSeconds'>,
  ) {}

  /** All events of a transaction are written when all else is. */
  async record(tx: WriteTx, { message, actorId, targets }: NewEvent): Promise<void> {
    tx.afterCommit(() => this.log.log(`${message} (${targets.map(({ type, name }) => `${type} ${name}`).join(', ')})`));
    if (this.settings.eventsTtlSeconds <= 0) return;
    const id = this.world.ids.uuid();
    const recordedAt = this.world.clock.now();
    const rows = this.recorded.get(tx) ?? this.begin(tx);
    rows.events.push([id, message, recordedAt, actorId]);
    for (const { type, id: entityId, name, projectId, runId, fleetId } of targets)
      rows.targets.push([this.world.ids.uuid(), id, type, entityId, name, projectId, runId, fleetId, recordedAt]);
  }

  private begin(tx: WriteTx): NewRows {
    const rows: NewRows = { events: [], targets: [] };
    this.recorded.set(tx, rows);
    tx.beforeCommit(async () => {
      await insertRows(tx, 'events', EVENT_COLUMNS, rows.events);
      await insertRows(tx, 'event_targets', TARGET_COLUMNS, rows.targets);
    });
    return rows;
  }
}
