import type { Wire } from '@dstack/core';
import { ClientError } from '../http/api-errors.js';
import { inList } from '../persistence/in-list.js';
import type { SqlCondition } from '../persistence/keyset.js';
import type { SqlValue } from '../persistence/transaction.js';

export interface EventViewer {
  readonly userId: string;
  /** The projects whose events the viewer may see; null: all. */
  readonly projectIds: readonly string[] | null;
}

/** Something that must hold of the event with this id. */
export type EventFilter = (eventId: string) => SqlCondition;

/** A part of what is asked for, in which an index has the events by time. What is asked for is all parts together. */
export interface EventSource {
  readonly table: 'event_targets' | 'events';
  /** Columns without a name before them. */
  readonly where: SqlCondition;
  readonly filters: readonly EventFilter[];
}

/** More parts than this, and they are one part that has to be sorted. */
const MOST_PARTS = 50;

const TARGETS = [
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

const SCOPES = [
  ['entity_project_id', 'within_projects'],
  ['fleet_id', 'within_fleets'],
  ['run_id', 'within_runs'],
] as const;

/**
 * The narrowest thing that the request names is where events are read from, so that a page costs the same however many events there are;
 * the rest of the request filters them.
 * @throws {ClientError} when the request names two things of a kind
 */
export function eventSources(viewer: EventViewer, request: Wire.ListEventsRequest): EventSource[] {
  const target = theOne(TARGETS, request, 'target_*');
  const scope = theOne(SCOPES, request, 'within_*');
  const types = request.include_target_types ?? null;
  const actors = actorFilter(request);
  const ofTypes = types === null ? [] : [withTarget(inList('entity_type', types))];
  const visible = visibility(viewer);
  if (target !== null) {
    const within = scope === null ? [] : [withTarget(inList(scope.column, scope.ids))];
    const filters = [...within, ...ofTypes, ...visible, ...actors];
    return parts('entity_id', target.ids, filters, { sql: 'entity_type = ?', params: [target.column] });
  }
  if (scope !== null && scope.column !== 'entity_project_id')
    return parts(scope.column, scope.ids, [...ofTypes, ...visible, ...actors]);
  if (scope !== null) {
    const [seen, hidden] = split(scope.ids, viewer.projectIds);
    const inHidden = withTarget(inList('entity_project_id', hidden));
    return [
      ...inProjects(seen, types, actors),
      ...(hidden.length === 0 ? [] : ownEvents(viewer, [inHidden, ...ofTypes, ...actors])),
    ];
  }
  if (viewer.projectIds !== null)
    return [...inProjects(viewer.projectIds, types, actors), ...ownEvents(viewer, [...ofTypes, ...actors])];
  if (types !== null) return parts('entity_type', types, actors);
  return everything(request.actors ?? null);
}

function theOne<Column extends string, Key extends keyof Wire.ListEventsRequest>(
  known: readonly (readonly [Column, Key])[],
  request: Wire.ListEventsRequest,
  kind: string,
): { readonly column: Column; readonly ids: readonly string[] } | null {
  const named = known.flatMap(([column, key]) => {
    // The keys given here are those of lists of ids.
    const ids = request[key] as readonly string[] | null | undefined;
    return ids == null ? [] : [{ column, ids }];
  });
  if (named.length > 1) throw new ClientError(`At most one ${kind} filter can be set at a time`);
  return named[0] ?? null;
}

function parts(
  column: string,
  values: readonly SqlValue[],
  filters: readonly EventFilter[],
  fixed: SqlCondition = { sql: '1 = 1', params: [] },
): EventSource[] {
  const unique = [...new Set(values)];
  const some =
    unique.length > MOST_PARTS
      ? [inList(column, unique)]
      : unique.map((value) => ({ sql: `${column} = ?`, params: [value] }));
  return some.map((one) => ({ table: 'event_targets', where: both(fixed, one), filters }));
}

/** A user belongs to no project; everything else an event speaks of belongs to the event's one. */
function inProjects(
  projectIds: readonly string[],
  types: readonly string[] | null,
  filters: readonly EventFilter[],
): EventSource[] {
  if (types === null) return parts('entity_project_id', projectIds, filters);
  const ofProjects = types.filter((type) => type !== 'user');
  const each = ofProjects.map((type) => ({ sql: 'entity_type = ?', params: [type] }));
  const sources =
    projectIds.length * each.length > MOST_PARTS
      ? parts('entity_project_id', projectIds, filters, inList('entity_type', ofProjects))
      : each.flatMap((ofType) => parts('entity_project_id', projectIds, filters, ofType));
  if (!types.includes('user')) return sources;
  const alsoInProjects = withTarget(inList('entity_project_id', projectIds));
  return [...sources, ...parts('entity_type', ['user'], [alsoInProjects, ...filters])];
}

function ownEvents({ userId }: EventViewer, filters: readonly EventFilter[]): EventSource[] {
  return parts('entity_id', [userId], filters, { sql: 'entity_type = ?', params: ['user'] });
}

function everything(actors: readonly (string | null)[] | null): EventSource[] {
  const by = (where: SqlCondition): EventSource => ({ table: 'events', where, filters: [] });
  if (actors === null) return [by({ sql: '1 = 1', params: [] })];
  const users = [...new Set(actors)].filter((actor) => actor !== null);
  const each = users.map((user) => ({ sql: 'actor_user_id = ?', params: [user] }));
  const ofUsers = users.length > MOST_PARTS ? [inList('actor_user_id', users)] : each;
  const ofServer = actors.includes(null) ? [{ sql: 'actor_user_id IS NULL', params: [] }] : [];
  return [...ofUsers, ...ofServer].map(by);
}

function visibility({ userId, projectIds }: EventViewer): EventFilter[] {
  if (projectIds === null) return [];
  const inOwn = inList('entity_project_id', projectIds);
  return [
    withTarget({
      sql: `(${inOwn.sql} OR (entity_type = 'user' AND entity_id = ?))`,
      params: [...inOwn.params, userId],
    }),
  ];
}

/** About columns of the event's targets. The CASE hides them from SQLite, which would rather look up all rows of a type than those of the event. */
function withTarget({ sql, params }: SqlCondition): EventFilter {
  return (eventId) => ({
    sql: `EXISTS (SELECT 1 FROM event_targets o WHERE o.event_id = ${eventId} AND CASE WHEN ${sql} THEN 1 END = 1)`,
    params,
  });
}

/** An actor of `null` in the filter is the server itself. */
function actorFilter({ actors }: Wire.ListEventsRequest): EventFilter[] {
  if (actors == null) return [];
  const users = inList(
    'actor_user_id',
    actors.filter((actor) => actor !== null),
  );
  const server = actors.includes(null) ? ' OR actor_user_id IS NULL' : '';
  return [
    (eventId) => ({
      sql: `EXISTS (SELECT 1 FROM events a WHERE a.id = ${eventId} AND (${users.sql}${server}))`,
      params: users.params,
    }),
  ];
}

function split(
  ids: readonly string[],
  visible: readonly string[] | null,
): readonly [readonly string[], readonly string[]] {
  if (visible === null) return [ids, []];
  return [ids.filter((id) => visible.includes(id)), ids.filter((id) => !visible.includes(id))];
}

function both(a: SqlCondition, b: SqlCondition): SqlCondition {
  return { sql: `${a.sql} AND ${b.sql}`, params: [...a.params, ...b.params] };
}
