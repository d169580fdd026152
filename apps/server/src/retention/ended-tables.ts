/** When a row that is over may be forgotten. */
export interface EndedTable {
  readonly table: 'instances' | 'fleets' | 'volumes' | 'gateway_replicas' | 'gateways';
  /** Since when it is over. */
  readonly endedAt: string;
  readonly isOver: string;
  /** Somebody still says something by it, or has to do something about it. */
  readonly isNeeded: readonly string[];
}

const named = (table: string, by: string): string => `EXISTS (SELECT 1 FROM ${table} WHERE ${by})`;

/** In this order: fleets go after their instances. What machines cost stays (`priced_intervals`); whose they were is told by jobs, and those keep them. */
export const ENDED_TABLES: readonly EndedTable[] = [
  {
    table: 'instances',
    endedAt: 'finished_at',
    isOver: `status = 'terminated'`,
    isNeeded: [
      named('jobs', 'jobs.instance_id = instances.id'),
      named('jobs', 'jobs.used_instance_id = instances.id'),
      named('jobs', 'jobs.id = instances.provisioning_job_id'),
      named('volume_attachments', 'volume_attachments.instance_id = instances.id'),
      // The first of a group names it, and its calls are theirs.
      named('instances other', `other.group_id = instances.group_id AND other.status <> 'terminated'`),
      // A host that a fleet names: applying the fleet again tries it again.
      '(deleted = false AND host_name IS NOT NULL)',
    ],
  },
  {
    table: 'fleets',
    endedAt: 'deleted_at',
    isOver: 'deleted = true',
    isNeeded: [
      named('instances', 'instances.fleet_id = fleets.id'),
      named('runs', 'runs.fleet_id = fleets.id'),
      named('placement_groups', 'placement_groups.fleet_id = fleets.id'),
    ],
  },
  {
    table: 'volumes',
    endedAt: 'deleted_at',
    isOver: 'deleted = true',
    isNeeded: [named('volume_attachments', 'volume_attachments.volume_id = volumes.id')],
  },
  { table: 'gateway_replicas', endedAt: 'status_changed_at', isOver: 'deleted = true', isNeeded: [] },
  {
    table: 'gateways',
    endedAt: 'deleted_at',
    isOver: 'deleted = true',
    isNeeded: [
      named('gateway_replicas', 'gateway_replicas.gateway_id = gateways.id'),
      named('runs', 'runs.gateway_id = gateways.id'),
    ],
  },
];

/** Its parameter is the moment before which it must have ended. */
export function mayBeForgotten({ endedAt, isOver, isNeeded }: EndedTable): string {
  return [`${endedAt} < ?`, isOver, 'next_due_at IS NULL', ...isNeeded.map((need) => `NOT ${need}`)].join(' AND ');
}
