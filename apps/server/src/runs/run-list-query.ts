import type { Wire } from '@dstack/core';
import { fromWireTime } from '../http/wire-time.js';
import { inList } from '../persistence/in-list.js';
import type { SqlCondition } from '../persistence/keyset.js';
import type { SqlValue } from '../persistence/transaction.js';

const MOST_RUNS = 100;
/** More projects than this, and their runs are sorted together. */
const MOST_PARTS = 50;

export interface RunListScope {
  /** The projects whose runs are listed; null: all that are not deleted. */
  readonly projectIds: readonly string[] | null;
  /** Whose runs are listed; null: everybody's. */
  readonly userId: string | null;
}

/**
 * A condition for `runs`, with their order. An index has each project's runs by time, so the first page of each project is read, and of these
 * pages together the first: it costs the same however many runs there are. Null: there can be no such run.
 */
export function runListQuery(scope: RunListScope, request: Wire.ListRunsRequest): SqlCondition | null {
  const limit = Math.max(0, Math.trunc(Math.min(request.limit ?? MOST_RUNS, MOST_RUNS)));
  const order = `submitted_at ${request.ascending === true ? 'ASC' : 'DESC'}, id ASC`;
  const filters = [...ofUser(scope), ...ofRequest(request)];
  const parts = ofProjects(scope).map((projects) => {
    const conditions = [projects, ...filters];
    return {
      sql: `SELECT id, submitted_at FROM runs WHERE deleted = false AND ${conditions.map(({ sql }) => sql).join(' AND ')} ORDER BY ${order} LIMIT ?`,
      params: [...conditions.flatMap(({ params }) => params), limit],
    };
  });
  if (parts.length === 0) return null;
  const all = parts.map(({ sql }, index) => `SELECT * FROM (${sql}) AS p${index}`).join(' UNION ALL ');
  return {
    sql: `id IN (SELECT id FROM (${all} ORDER BY ${order} LIMIT ?) AS page) ORDER BY ${order}`,
    params: [...parts.flatMap(({ params }) => params), limit],
  };
}

function ofProjects({ projectIds }: RunListScope): SqlCondition[] {
  if (projectIds === null) return [sql('project_id IN (SELECT id FROM projects WHERE deleted = false)')];
  const unique = [...new Set(projectIds)];
  return unique.length > MOST_PARTS ? [inList('project_id', unique)] : unique.map((id) => sql('project_id = ?', id));
}

const ofUser = ({ userId }: RunListScope): SqlCondition[] => (userId === null ? [] : [sql('user_id = ?', userId)]);

function ofRequest(request: Wire.ListRunsRequest): SqlCondition[] {
  const filters: SqlCondition[] = [];
  if (request.repo_id) filters.push(sql('repo_id IN (SELECT id FROM repos WHERE name = ?)', request.repo_id));
  // As the index ix_runs_active says it.
  if (request.only_active === true) filters.push(sql(`status NOT IN ('terminated', 'failed', 'done')`));
  if (request.prev_submitted_at) {
    const at = fromWireTime(request.prev_submitted_at);
    const later = request.ascending === true ? '>' : '<';
    filters.push(
      request.prev_run_id
        ? sql(`submitted_at ${later}= ? AND (submitted_at ${later} ? OR id > ?)`, at, at, request.prev_run_id)
        : sql(`submitted_at ${later} ?`, at),
    );
  }
  return filters;
}

const sql = (text: string, ...params: readonly SqlValue[]): SqlCondition => ({ sql: text, params });
