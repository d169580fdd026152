import type { Invariant, Scene } from './invariant.js';

const FINAL_RUNS: ReadonlySet<string> = new Set(['terminated', 'failed', 'done']);
const FINAL_JOBS: ReadonlySet<string> = new Set(['terminated', 'aborted', 'failed', 'done']);

/** A run that is over, or was deleted, leaves no job behind; and a job is submitted again only when its former submission is over. */
export const runsAndJobsAgree: Invariant = {
  afterChange(scene) {
    const touched = new Set([
      ...scene.changes.runs.map(({ id }) => id),
      ...scene.changes.jobs.map(({ after }) => after.runId),
    ]);
    if (touched.size === 0) return;
    const unfinished = unfinishedJobs(scene, touched);
    for (const runId of touched) {
      const run = scene.mirror.runs.get(runId);
      if (run === undefined) continue;
      const isFinal = FINAL_RUNS.has(run.status);
      if (run.isDeleted === 1 && !isFinal) scene.story.violate(`run ${run.name} is deleted while it is ${run.status}`);
      const [first] = unfinished.get(runId)?.values() ?? [];
      if (isFinal && first !== undefined)
        scene.story.violate(`run ${run.name} is ${run.status}, and ${first.join(', ')} is not over`);
      for (const names of unfinished.get(runId)?.values() ?? [])
        if (names.length > 1) scene.story.violate(`${names.join(' and ')} are the same job, and neither is over`);
    }
  },
};

/** Names of jobs, by their run and their place in it. */
function unfinishedJobs({ mirror }: Scene, runIds: ReadonlySet<string>): Map<string, Map<string, string[]>> {
  const byRun = new Map<string, Map<string, string[]>>();
  for (const { runId, place, name, status } of mirror.jobs.values()) {
    if (!runIds.has(runId) || FINAL_JOBS.has(status)) continue;
    const places = byRun.get(runId) ?? new Map<string, string[]>();
    places.set(place, [...(places.get(place) ?? []), name]);
    byRun.set(runId, places);
  }
  return byRun;
}
