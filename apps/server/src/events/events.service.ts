import { Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { Database } from '../persistence/database.js';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';
import { toWireTime } from '../http/wire-time.js';
import { eventQuery } from './event-query.js';

interface EventRow {
  id: string;
  message: string;
  recorded_at: number;
  actor_user_id: string | null;
  actor_name: string | null;
  actor_deleted: boolean | null;
}

interface TargetRow {
  event_id: string;
  entity_type: string;
  entity_id: string;
  entity_name: string;
  entity_project_id: string | null;
  project_name: string | null;
  project_deleted: boolean | null;
}

@Injectable()
export class EventsService {
  constructor(private readonly db: Database) {}

  /** A caller who may see one target of an event sees the whole event. */
  async list(caller: Caller, request: Wire.ListEventsRequest): Promise<Wire.Event[]> {
    return this.db.read(async (tx) => {
      const query = eventQuery({ userId: caller.id, projectIds: await visibleProjects(tx, caller) }, request);
      if (query === null) return [];
      const events = await tx.query<EventRow>(query.sql, query.params);
      const ofEvents = inList(
        't.event_id',
        events.map((event) => event.id),
      );
      const targets = await tx.query<TargetRow>(
        `SELECT t.event_id, t.entity_type, t.entity_id, t.entity_name, t.entity_project_id,
                coalesce(p.original_name, p.name) AS project_name, p.deleted AS project_deleted
         FROM event_targets t LEFT JOIN projects p ON p.id = t.entity_project_id
         WHERE ${ofEvents.sql} ORDER BY t.entity_type, t.entity_id`,
        ofEvents.params,
      );
      const byEvent = Map.groupBy(targets, (target) => target.event_id);
      return events.map((event) => toWireEvent(event, byEvent.get(event.id) ?? []));
    });
  }
}

async function visibleProjects(tx: ReadTx, caller: Caller): Promise<string[] | null> {
  if (caller.globalRole === 'admin') return null;
  const rows = await tx.query<{ project_id: string }>('SELECT project_id FROM members WHERE user_id = ?', [caller.id]);
  return rows.map((row) => row.project_id);
}

function toWireEvent(event: EventRow, targets: readonly TargetRow[]): Wire.Event {
  return {
    id: event.id,
    message: event.message,
    recorded_at: toWireTime(event.recorded_at),
    actor_user_id: event.actor_user_id,
    actor_user: event.actor_name,
    is_actor_user_deleted: event.actor_deleted,
    targets: targets.map((target) => ({
      type: target.entity_type,
      project_id: target.entity_project_id,
      project_name: target.project_name,
      is_project_deleted: target.project_deleted,
      id: target.entity_id,
      name: target.entity_name,
    })),
  };
}
