import { hasRole, type ProjectScope } from '../auth/caller.js';
import type { SqlCondition } from '../persistence/keyset.js';

/** Fleets as far as they are shared with a project of the user. */
export function fleetsSharedWithUser(column: string, userId: string): SqlCondition {
  const sql = `${column} IN (SELECT ef.fleet_id FROM exported_fleets ef JOIN imports im ON im.export_id = ef.export_id
    JOIN members m ON m.project_id = im.project_id WHERE m.user_id = ?)`;
  return { sql, params: [userId] };
}

/** Of a project's fleets, those that who asks may see: members all of them, others what is shared with them. */
export function visibleFleets(scope: ProjectScope, column: string): SqlCondition {
  return hasRole(scope, 'user') ? { sql: '1 = 1', params: [] } : fleetsSharedWithUser(column, scope.caller.id);
}

/** Things of fleets that are shared with some projects; `projects` selects their ids. */
export function fleetsSharedWith(column: string, projects: SqlCondition): SqlCondition {
  const sql = `${column} IN (SELECT ef.fleet_id FROM exported_fleets ef JOIN imports im ON im.export_id = ef.export_id
    WHERE im.project_id IN (${projects.sql}))`;
  return { sql, params: projects.params };
}
