import { chooseResumptions, type WaitingRun } from '@dstack/core';
import { findJobs, latestSubmissions } from '../jobs/job-record.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';
import { findRuns, type RunRecord } from '../runs/run-record.js';
import { volumesFor } from '../volumes/volume-facts.js';
import { loadGroup } from './loaded-group.js';
import { gangs, userNameOf } from './placement-loader.js';
import { loadCapacity, type ProjectCapacity } from './project-capacity.js';

/** Of each project, as many runs as one event may bring back. */
const RUNS_LOOKED_AT = 20;

// As the index on them says it.
const WAITS = `status = 'pending' AND resume_at IS NOT NULL AND pending_because IS NOT NULL`;

export async function hasWaitingRuns(tx: ReadTx): Promise<boolean> {
  return (await tx.query(`SELECT id FROM runs WHERE ${WAITS} LIMIT 1`)).length > 0;
}

/** The runs that capacity which came free would hold, of all projects. */
export async function findResumable(tx: ReadTx): Promise<string[]> {
  const projects = await tx.query<{ project_id: string }>(`SELECT DISTINCT project_id FROM runs WHERE ${WAITS}`);
  const thisMachineFreedAt = await whenThisMachineWasFreed(tx);
  const resumable: string[] = [];
  for (const { project_id: projectId } of projects) {
    const capacity = await loadCapacity(tx, projectId, 'all');
    const runs = await findRuns(
      tx,
      `project_id = ? AND ${WAITS} ORDER BY priority DESC, submitted_at LIMIT ${RUNS_LOOKED_AT}`,
      [projectId],
    );
    const now = await tx.now();
    const waiting: WaitingRun[] = [];
    for (const run of runs) {
      const looked = await toWaitingRun(tx, run, capacity, now);
      if (looked === null) continue;
      // What it waited for was no machine: nobody knows whether there is one before it is looked for.
      if (looked.because.explanation.isForVolumes === true) resumable.push(...(looked.isResumed ? [] : [run.id]));
      else waiting.push(looked);
    }
    resumable.push(...chooseResumptions(waiting, { ...capacity, thisMachineFreedAt }));
  }
  return resumable;
}

/** Does not wait for the next try of those that wait for one. */
export async function resumeRuns(tx: WriteTx, wake: Wake, runIds: readonly string[]): Promise<void> {
  const now = await tx.now();
  for (const id of runIds) {
    const resumed = await tx.execute(
      `UPDATE runs SET resume_at = ?, rev = rev + 1 WHERE id = ? AND ${WAITS} AND resume_at > ?`,
      [now, id, now],
    );
    if (resumed === 1) await wake.rows(tx, 'runs', [id]);
  }
}

/** A fleet is new or other than it was: what its backends have for them is known only when they are asked. */
export async function resumeRunsOfProject(tx: WriteTx, wake: Wake, projectId: string): Promise<void> {
  const runs = await tx.query<{ id: string }>(
    `SELECT id FROM runs WHERE project_id = ? AND ${WAITS} ORDER BY priority DESC, submitted_at LIMIT ${RUNS_LOOKED_AT}`,
    [projectId],
  );
  await resumeRuns(tx, wake, runs.map((run) => run.id)); // prettier-ignore
}

async function toWaitingRun(
  tx: ReadTx,
  run: RunRecord,
  capacity: ProjectCapacity,
  now: number,
): Promise<WaitingRun | null> {
  const { pendingBecause: because, resumeAt } = run;
  const [jobs] = gangs(latestSubmissions(await findJobs(tx, 'run_id = ?', [run.id])));
  if (because === null || jobs === undefined) return null;
  const volumes = await volumesFor(tx, run.projectId, jobs.map(({ spec }) => spec)); // prettier-ignore
  const loaded = loadGroup({ run, userName: await userNameOf(tx, run.userId), jobs }, capacity, volumes);
  if (loaded.volumes.kind !== 'free') return null;
  return { group: loaded.group, because, isResumed: resumeAt !== null && resumeAt <= now };
}

async function whenThisMachineWasFreed(tx: ReadTx): Promise<number | null> {
  const [row] = await tx.query<{ at: number | null }>(
    `SELECT MAX(finished_at) AS at FROM instances WHERE backend_type = 'local'`,
  );
  return row?.at === null || row?.at === undefined ? null : Number(row.at);
}
