import type { Wire } from '@dstack/core';
import { OWES_LOG } from '../jobs/owed-logs.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import { readJson } from '../reconcile/stored-json.js';
import type { PumpedJob } from './log-pumps.js';

export interface LiveJob extends PumpedJob {
  readonly callsServer: boolean;
}

interface LiveJobRow {
  readonly id: string;
  readonly instance_id: string;
  readonly status: Wire.JobStatus;
  readonly run_name: string;
  readonly project_name: string;
  readonly access_spec: string | null;
}

const jobsWhere = (instance: string, isMeant: string): string => `SELECT * FROM (
      SELECT j.id, ${instance} AS instance_id, j.status, r.name AS run_name, p.name AS project_name,
        CASE WHEN r.run_spec LIKE '%"dstack":true%' THEN r.run_spec END AS access_spec
      FROM jobs j JOIN runs r ON r.id = j.run_id JOIN projects p ON p.id = j.project_id
      WHERE j.agent_revision > 0 AND (j.log_end_job IS NULL OR j.log_end_runner IS NULL) AND ${isMeant}) live`;

const read = (_tx: unknown, row: LiveJobRow): LiveJob => ({
  jobId: row.id,
  runName: row.run_name,
  projectName: row.project_name,
  callsServer: (row.status === 'running' || row.status === 'terminating') && mayCallServer(row.access_spec),
});

/** Jobs that the agent of a host has, or had, and whose output is not all here. */
export const liveJobsOn = rowsByKey({
  select: jobsWhere('j.instance_id', 'j.instance_id IS NOT NULL'),
  key: 'instance_id',
  read,
});

/** They are over, and the agent of the host keeps the end of their logs. */
export const jobsThatOweLogs = rowsByKey({
  select: jobsWhere('j.used_instance_id', OWES_LOG),
  key: 'instance_id',
  read,
});

/** Any text of a specification may hold the words it was found by. */
function mayCallServer(spec: string | null): boolean {
  return spec !== null && readJson<Wire.RunSpec>(spec).configuration.dstack === true;
}
