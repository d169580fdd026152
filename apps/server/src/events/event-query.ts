import type { Wire } from '@dstack/core';
import { fromWireTime } from '../http/wire-time.js';
import { keyset, type SqlCondition } from '../persistence/keyset.js';
import { type EventSource, eventSources, type EventViewer } from './event-sources.js';

const DEFAULT_LIMIT = 100;

/** Null: there can be no such event. Of each source the first page is read, and of these pages together the first. */
export function eventQuery(viewer: EventViewer, request: Wire.ListEventsRequest): SqlCondition | null {
  const limit = request.limit ?? DEFAULT_LIMIT;
  const page = (dateColumn: string, idColumn: string): ReturnType<typeof keyset> =>
    keyset({
      dateColumn,
      idColumn,
      previousDate: request.prev_recorded_at == null ? null : fromWireTime(request.prev_recorded_at),
      previousId: request.prev_id ?? null,
      ascending: request.ascending ?? false,
    });
  const pages = eventSources(viewer, request).map((source) => pageOf(source, page, limit));
  if (pages.length === 0) return null;
  const all = pages.map(({ sql }, index) => `SELECT * FROM (${sql}) AS p${index}`).join(' UNION ');
  return {
    sql: `SELECT e.id, e.message, e.recorded_at, e.actor_user_id,
                 coalesce(u.original_name, u.name) AS actor_name, u.deleted AS actor_deleted
          FROM (${all} ORDER BY ${page('recorded_at', 'id').orderBy} LIMIT ?) AS page
          JOIN events e ON e.id = page.id LEFT JOIN users u ON u.id = e.actor_user_id
          ORDER BY ${page('e.recorded_at', 'e.id').orderBy}`,
    params: [...pages.flatMap(({ params }) => params), limit],
  };
}

function pageOf(
  { table, where, filters }: EventSource,
  page: (dateColumn: string, idColumn: string) => ReturnType<typeof keyset>,
  limit: number,
): SqlCondition {
  const id = table === 'events' ? 'id' : 'event_id';
  const place = page('s.recorded_at', `s.${id}`);
  const conditions = [where, place, ...filters.map((filter) => filter(`s.${id}`))];
  return {
    // An event may be there with several of its targets.
    sql: `SELECT DISTINCT s.${id} AS id, s.recorded_at AS recorded_at FROM ${table} s
          WHERE ${conditions.map(({ sql }) => sql).join(' AND ')} ORDER BY ${place.orderBy} LIMIT ?`,
    params: [...conditions.flatMap(({ params }) => params), limit],
  };
}
