import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { pricedForRun } from '../costs/held-machines.js';
import { findJobsOfRun } from '../jobs/job-record.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findProject } from '../projects/find-project.js';
import { findUser } from '../users/find-user.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { detachingVolumes } from '../volumes/job-volumes.js';
import type { RunRecord } from './run-record.js';
import { runText } from './run-text.js';
import { type ExplainedRun, type RunFacts, toWireRun } from './run-view.js';

export interface ReadOptions {
  readonly includeJobs: boolean;
  readonly jobSubmissionsLimit: number | null;
}

const EVERYTHING: ReadOptions = { includeJobs: true, jobSubmissionsLimit: null };

/** Run rows as clients see them. */
@Injectable()
export class RunReader {
  constructor(@Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'sshProxy'>) {}

  async wire(
    tx: ReadTx,
    runs: readonly RunRecord[],
    caller: Caller,
    options: ReadOptions = EVERYTHING,
  ): Promise<ExplainedRun[]> {
    return (await this.facts(tx, runs, caller, options)).map(toWireRun);
  }

  /** The JSON of each. */
  async texts(tx: ReadTx, runs: readonly RunRecord[], caller: Caller, options: ReadOptions): Promise<string[]> {
    return (await this.facts(tx, runs, caller, options)).map((facts) => runText(tx, facts));
  }

  private async facts(
    tx: ReadTx,
    runs: readonly RunRecord[],
    caller: Caller,
    options: ReadOptions,
  ): Promise<RunFacts[]> {
    if (runs.length === 0) return [];
    const now = await tx.now();
    return Promise.all(
      runs.map(async (run) => {
        const [jobs, project, user, priced, [fleet]] = await Promise.all([
          findJobsOfRun(tx, run.id),
          findProject(tx, run.projectId),
          findUser(tx, run.userId),
          pricedForRun(tx, run.id),
          run.fleetId === null ? [] : fleetNames(tx, run.fleetId),
        ]);
        const ending = jobs.filter((job) => job.status === 'terminating').map((job) => job.id);
        return {
          run,
          jobs: [...jobs].sort((a, b) => a.submissionNum - b.submissionNum),
          projectName: project?.name ?? '',
          userName: user?.name ?? '',
          fleet: run.fleetId === null ? null : { id: run.fleetId, name: fleet ?? '' },
          isOwner: run.userId === caller.id,
          includeJobs: options.includeJobs,
          jobSubmissionsLimit: options.jobSubmissionsLimit,
          detaching: await detachingVolumes(tx, ending),
          priced,
          sshProxy: this.settings.sshProxy,
          now,
        };
      }),
    );
  }
}

const fleetNames = rowsByKey({
  select: 'SELECT id, name FROM fleets',
  key: 'id',
  read: (_tx, row: { readonly id: string; readonly name: string }) => row.name,
});
