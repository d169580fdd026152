import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { ClientError } from '../http/api-errors.js';
import { fromWireTime } from '../http/wire-time.js';
import { inList } from '../persistence/in-list.js';
import { keyset, type SqlCondition } from '../persistence/keyset.js';

const TARGET_FILTERS = [
  ['project', 'target_projects'],
  ['user', 'target_users'],
  ['fleet', 'target_fleets'],
  ['instance', 'target_instances'],
  ['run', 'target_runs'],
  ['job', 'target_jobs'],
  ['volume', 'target_volumes'],
  ['gateway', 'target_gateways'],
  ['secret', 'target_secrets'],
] as const;

export function eventQuery(caller: Caller, request: Wire.ListEventsRequest): SqlCondition {
  const page = keyset({
    dateColumn: 'e.recorded_at',
    idColumn: 'e.id',
    previousDate: request.prev_recorded_at == null ? null : fromWireTime(request.prev_recorded_at),
    previousId: request.prev_id ?? null,
    ascending: request.ascending ?? false,
  });
  const targetFilters = aboutTargets(request);
  const conditions = [page, ...actorFilter(request), ...visibility(caller), ...targetFilters];
  return {
    sql: `SELECT e.id, e.message, e.recorded_at, e.actor_user_id,
                 coalesce(u.original_name, u.name) AS actor_name, u.deleted AS actor_deleted
          FROM events e LEFT JOIN users u ON u.id = e.actor_user_id
          WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}
          ORDER BY ${page.orderBy} LIMIT ?`,
    params: [...conditions.flatMap(({ params }) => params), request.limit ?? 100],
  };
}

function withTarget({ sql, params }: SqlCondition): SqlCondition {
  return { sql: `EXISTS (SELECT 1 FROM event_targets t WHERE t.event_id = e.id AND ${sql})`, params };
}

function visibility(caller: Caller): SqlCondition[] {
  if (caller.globalRole === 'admin') return [];
  return [
    withTarget({
      sql: `(t.entity_project_id IN (SELECT m.project_id FROM members m WHERE m.user_id = ?)
             OR (t.entity_type = 'user' AND t.entity_id = ?))`,
      params: [caller.id, caller.id],
    }),
  ];
}

/** An actor of `null` in the filter is the server itself. */
function actorFilter({ actors }: Wire.ListEventsRequest): SqlCondition[] {
  if (actors == null) return [];
  const users = inList(
    'e.actor_user_id',
    actors.filter((actor) => actor !== null),
  );
  const system = actors.includes(null) ? ' OR e.actor_user_id IS NULL' : '';
  return [{ sql: `(${users.sql}${system})`, params: users.params }];
}

function aboutTargets(request: Wire.ListEventsRequest): SqlCondition[] {
  const chosen = TARGET_FILTERS.flatMap(([type, key]) => {
    const ids = request[key];
    return ids == null ? [] : [{ type, ids }];
  });
  if (chosen.length > 1) throw new ClientError('At most one target_* filter can be set at a time');
  const targets = chosen.map(({ type, ids }) => {
    const list = inList('t.entity_id', ids);
    return withTarget({ sql: `t.entity_type = ? AND ${list.sql}`, params: [type, ...list.params] });
  });
  const within = [
    ['t.entity_project_id', request.within_projects],
    ['t.fleet_id', request.within_fleets],
    ['t.run_id', request.within_runs],
  ] as const;
  const scopes = within.flatMap(([column, ids]) => (ids == null ? [] : [withTarget(inList(column, ids))]));
  if (scopes.length > 1) throw new ClientError('At most one within_* filter can be set at a time');
  const types = request.include_target_types;
  return [...targets, ...scopes, ...(types == null ? [] : [withTarget(inList('t.entity_type', types))])];
}
