import { Inject, Injectable } from '@nestjs/common';
import { effectiveProfile, retryOf, type Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { pricedForRun } from '../costs/held-machines.js';
import type { JsonText } from '../http/json-list.js';
import {
  findJobHeadsOfRun,
  findJobsOfRun,
  findListedJobsOfRun,
  type JobHead,
  type JobRecord,
  type ListedJob,
} from '../jobs/job-record.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findProject } from '../projects/find-project.js';
import { findUser } from '../users/find-user.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { detachingVolumes } from '../volumes/job-volumes.js';
import type { RunHead, RunRecord } from './run-record.js';
import { runText } from './run-text.js';
import { type ExplainedRun, type RunFacts, toWireRun } from './run-view.js';
import { readRunSpec, ShownTexts } from './shown-texts.js';

export interface ReadOptions {
  readonly includeJobs: boolean;
  readonly jobSubmissionsLimit: number | null;
}

const EVERYTHING: ReadOptions = { includeJobs: true, jobSubmissionsLimit: null };

/** How much of a run is read, and from where its specification comes. */
interface Reading<Run extends RunHead, Job extends JobHead> {
  readonly jobsOf: (tx: ReadTx, run: Run) => Promise<readonly Job[]>;
  readonly spec: (tx: ReadTx, run: Run) => Wire.RunSpec | Promise<Wire.RunSpec>;
}

const WHOLE: Reading<RunRecord, JobRecord> = {
  jobsOf: (tx, run) => findJobsOfRun(tx, run.id),
  spec: (_tx, run) => run.spec,
};

/** Run rows as clients see them. */
@Injectable()
export class RunReader {
  private readonly shown: ShownTexts;

  constructor(@Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'sshProxy'>) {
    this.shown = new ShownTexts(settings.sshProxy);
  }

  async wire(
    tx: ReadTx,
    runs: readonly RunRecord[],
    caller: Caller,
    options: ReadOptions = EVERYTHING,
  ): Promise<ExplainedRun[]> {
    return Promise.all(runs.map(async (run) => toWireRun(await this.facts(tx, run, caller, options, WHOLE))));
  }

  /** The JSON of each. Of committed rows only: what is made of them is remembered. */
  async texts(tx: ReadTx, runs: readonly RunHead[], caller: Caller, options: ReadOptions): Promise<JsonText[]> {
    const { shown } = this;
    const reading: Reading<RunHead, ListedJob> = {
      jobsOf: (snapshot, run) =>
        options.includeJobs && !shown.remembers(run, isOwner(run, caller))
          ? findListedJobsOfRun(snapshot, run.id)
          : findJobHeadsOfRun(snapshot, run.id),
      spec: readRunSpec,
    };
    return Promise.all(
      runs.map(async (run) => {
        const [facts, spec] = await Promise.all([
          this.facts(tx, run, caller, options, reading),
          shown.runSpec(tx, run, isOwner(run, caller)),
        ]);
        return runText(tx, shown, facts, spec);
      }),
    );
  }

  private async facts<Run extends RunHead, Job extends JobHead>(
    tx: ReadTx,
    run: Run,
    caller: Caller,
    options: ReadOptions,
    reading: Reading<Run, Job>,
  ): Promise<RunFacts<Run, Job>> {
    const [now, jobs, project, user, priced, [fleet], retry] = await Promise.all([
      tx.now(),
      reading.jobsOf(tx, run),
      findProject(tx, run.projectId),
      findUser(tx, run.userId),
      pricedForRun(tx, run.id),
      run.fleetId === null ? [] : fleetNames(tx, run.fleetId),
      isWaiting(run) ? retryOfRun(tx, run, reading) : null,
    ]);
    const ending = jobs.filter((job) => job.status === 'terminating').map((job) => job.id);
    return {
      run,
      jobs: [...jobs].sort((a, b) => a.submissionNum - b.submissionNum),
      retry,
      projectName: project?.name ?? '',
      userName: user?.name ?? '',
      fleet: run.fleetId === null ? null : { id: run.fleetId, name: fleet ?? '' },
      isOwner: isOwner(run, caller),
      includeJobs: options.includeJobs,
      jobSubmissionsLimit: options.jobSubmissionsLimit,
      detaching: await detachingVolumes(tx, ending),
      priced,
      sshProxy: this.settings.sshProxy,
      now,
    };
  }
}

const isOwner = (run: RunHead, caller: Caller): boolean => run.userId === caller.id;

/** Only then its specification is asked for what its status says. */
function isWaiting({ status }: RunHead): boolean {
  return status === 'submitted' || status === 'pending';
}

async function retryOfRun<Run extends RunHead>(
  tx: ReadTx,
  run: Run,
  { spec }: Pick<Reading<Run, JobHead>, 'spec'>,
): Promise<Wire.Retry | null> {
  return retryOf(effectiveProfile(await spec(tx, run)).retry);
}

const fleetNames = rowsByKey({
  select: 'SELECT id, name FROM fleets',
  key: 'id',
  read: (_tx, row: { readonly id: string; readonly name: string }) => row.name,
});
