import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { ResourceNotExistsError } from '../http/api-errors.js';
import { fromWireTime, toWireTime } from '../http/wire-time.js';
import { Database } from '../persistence/database.js';
import { either, projectsOf } from '../projects/projects-of.js';
import { fleetsSharedWith, visibleFleets } from '../sharing/shared-with-caller.js';
import { InstanceReader } from './instance-reader.js';
import { findInstances } from './instance-record.js';

const DEFAULT_LIMIT = 1000;

@Injectable()
export class InstancesService {
  constructor(
    private readonly db: Database,
    @Inject(InstanceReader) private readonly reader: InstanceReader,
  ) {}

  list(caller: Caller, request: Wire.ListInstancesRequest): Promise<Wire.Instance[]> {
    return this.db.read(async (tx) => {
      const projects = projectsOf(caller, request.project_names ?? null);
      const own = { sql: `project_id IN (${projects.sql})`, params: projects.params };
      const found = request.include_imported === true ? either(own, fleetsSharedWith('fleet_id', projects)) : own;
      const conditions = [found.sql];
      const params = [...found.params];
      const add = (condition: string, ...values: (string | number | boolean)[]): void => {
        conditions.push(condition);
        params.push(...values);
      };
      if (request.fleet_ids) add(`fleet_id IN (${marks(request.fleet_ids)})`, ...request.fleet_ids);
      if (request.only_active === true) add(`deleted = ? AND status <> 'terminated'`, false);
      const isAscending = request.ascending === true;
      if (request.prev_created_at) {
        const at = fromWireTime(request.prev_created_at);
        add(`(created_at ${isAscending ? '>' : '<'} ? OR (created_at = ? AND id > ?))`, at, at, request.prev_id ?? '');
      }
      const limit = Math.max(0, Math.trunc(Math.min(request.limit ?? DEFAULT_LIMIT, DEFAULT_LIMIT)));
      const order = `ORDER BY created_at ${isAscending ? 'ASC' : 'DESC'}, id ASC LIMIT ${limit}`;
      return this.reader.wire(tx, await findInstances(tx, `${conditions.join(' AND ')} ${order}`, params));
    });
  }

  get(scope: ProjectScope, { id }: Wire.GetInstanceRequest): Promise<Wire.Instance> {
    return this.db.read(async (tx) => {
      const visible = visibleFleets(scope, 'fleet_id');
      const found = await findInstances(tx, `id = ? AND project_id = ? AND ${visible.sql}`, [
        id,
        scope.projectId,
        ...visible.params,
      ]);
      const [wire] = await this.reader.wire(tx, found);
      if (wire === undefined) throw new ResourceNotExistsError(`Instance ${id} not found`);
      return wire;
    });
  }

  healthChecks(
    scope: ProjectScope,
    request: Wire.GetInstanceHealthChecksRequest,
  ): Promise<Wire.GetInstanceHealthChecksResponse> {
    return this.db.read(async (tx) => {
      const [instance] = await findInstances(
        tx,
        `project_id = ? AND instance_num = ? AND deleted = ? AND fleet_id IN (SELECT id FROM fleets WHERE project_id = ? AND name = ? AND deleted = ?)`,
        [scope.projectId, request.instance_num, false, scope.projectId, request.fleet_name, false],
      );
      if (instance === undefined) {
        throw new ResourceNotExistsError(`Fleet ${request.fleet_name} has no instance ${request.instance_num}`);
      }
      const rows = await tx.query<{ collected_at: number; status: string; response: string }>(
        `SELECT collected_at, status, response FROM instance_health_checks WHERE instance_id = ? AND collected_at > ? AND collected_at < ?
         ORDER BY collected_at DESC LIMIT ?`,
        [
          instance.id,
          request.after ? fromWireTime(request.after) : 0,
          request.before ? fromWireTime(request.before) : Number.MAX_SAFE_INTEGER,
          request.limit ?? 100,
        ],
      );
      return {
        health_checks: rows.map((row) => ({
          collected_at: toWireTime(row.collected_at),
          status: row.status as Wire.HealthStatus, // written from the same union
          events: JSON.parse(row.response) as Wire.HealthCheck['events'],
        })),
      };
    });
  }
}

function marks(values: readonly unknown[]): string {
  return values.length === 0 ? 'NULL' : values.map(() => '?').join(', ');
}
