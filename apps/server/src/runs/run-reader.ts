import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { findJobs, type JobRecord } from '../jobs/job-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import { detachingVolumes } from '../volumes/job-volumes.js';
import type { RunRecord } from './run-record.js';
import { type ExplainedRun, toWireRun } from './run-view.js';

export interface ReadOptions {
  readonly includeJobs: boolean;
  readonly jobSubmissionsLimit: number | null;
}

const EVERYTHING: ReadOptions = { includeJobs: true, jobSubmissionsLimit: null };

/** Run rows as clients see them. */
@Injectable()
export class RunReader {
  async wire(
    tx: ReadTx,
    runs: readonly RunRecord[],
    caller: Caller,
    options: ReadOptions = EVERYTHING,
  ): Promise<ExplainedRun[]> {
    if (runs.length === 0) return [];
    const ids = runs.map((run) => run.id);
    const jobs = await findJobs(tx, `run_id IN (${ids.map(() => '?').join(', ')}) ORDER BY submission_num`, ids);
    const byRun = Map.groupBy(jobs, (job) => job.runId);
    const ending = jobs.filter((job) => job.status === 'terminating').map((job) => job.id);
    const detaching = await detachingVolumes(tx, ending);
    const now = await tx.now();
    const names = new Names(tx);
    const wire: ExplainedRun[] = [];
    for (const run of runs) {
      const ofRun: readonly JobRecord[] = byRun.get(run.id) ?? [];
      const fleetName = run.fleetId === null ? null : await names.of('fleets', run.fleetId);
      wire.push(
        toWireRun({
          run,
          jobs: ofRun,
          projectName: await names.of('projects', run.projectId),
          userName: await names.of('users', run.userId),
          fleet: run.fleetId === null || fleetName === null ? null : { id: run.fleetId, name: fleetName },
          isOwner: run.userId === caller.id,
          includeJobs: options.includeJobs,
          jobSubmissionsLimit: options.jobSubmissionsLimit,
          detaching,
          now,
        }),
      );
    }
    return wire;
  }
}

class Names {
  private readonly known = new Map<string, string>();

  constructor(private readonly tx: ReadTx) {}

  async of(table: 'projects' | 'users' | 'fleets', id: string): Promise<string> {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const [row] = await this.tx.query<{ name: string }>(`SELECT name FROM ${table} WHERE id = ?`, [id]);
    const name = row?.name ?? '';
    this.known.set(id, name);
    return name;
  }
}
