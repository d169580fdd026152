import type { Defect } from '../defect.js';

/** Who has to look again, and when. */
export const WAKE_UP_DEFECTS: readonly Defect[] = [
  {
    name: 'wake-up-is-overwritten',
    loses:
      'what happened to a row while it was decided about: nobody looks until something else happens, or for minutes',
    knownFrom: 'the field',
    edits: [
      {
        file: 'apps/server/src/reconcile/end-lease.ts',
        find: '         next_due_at = CASE WHEN wake_seq = ? THEN',
        replace: '         next_due_at = CASE WHEN wake_seq >= ? THEN',
      },
    ],
  },
  {
    name: 'run-is-not-told-of-its-jobs',
    loses: 'minutes: a run goes on for a while when all of its jobs are over',
    edits: [
      {
        file: 'apps/server/src/jobs/job-commit.ts',
        find: `    await this.wake.rows(tx, 'runs', [run.id]);\n`,
        replace: '',
      },
    ],
  },
  {
    name: 'job-is-not-told-by-its-agent',
    loses: 'minutes: a job runs on the screen long after its commands have ended',
    edits: [
      {
        file: 'apps/server/src/agents/job-states.ts',
        find: `    await this.wake.rows(tx, 'jobs', [jobId]);\n`,
        replace: '',
      },
    ],
  },
  {
    name: 'lost-host-is-not-marked',
    loses: 'the jobs of a host that is gone: they run for ever',
    edits: [
      {
        file: 'apps/server/src/agents/host-connection.ts',
        find: '        await this.markUnreachable(error).catch(',
        replace: '        await Promise.resolve(error).catch(',
      },
    ],
  },
  {
    name: 'retry-does-not-end',
    loses: 'an answer: a run that nothing can hold is tried again for ever',
    edits: [
      {
        file: 'libs/core/src/runs/retry.ts',
        find: 'if (elapsedMs > policy.duration * 1000) return',
        replace: 'if (elapsedMs > Infinity) return',
      },
    ],
  },
];
