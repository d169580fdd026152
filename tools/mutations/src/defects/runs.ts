import type { Defect } from '../defect.js';

const DECIDE = 'libs/core/src/lifecycle/decide-run.ts';
const SERVICE = 'apps/server/src/runs/runs.service.ts';

/** What people ask for, and what becomes of it. */
export const RUN_DEFECTS: readonly Defect[] = [
  {
    name: 'stop-is-ignored-while-it-starts',
    loses: 'the money for a machine that nobody wants any more',
    edits: [
      {
        file: 'libs/core/src/runs/decide-stop.ts',
        find: `if (status !== 'terminating') return`,
        replace: `if (status === 'provisioning') return null;\n  if (status !== 'terminating') return`,
      },
    ],
  },
  {
    name: 'stop-is-ignored-between-two-turns',
    loses: 'the stop of a scheduled run, when one of its turns was just ending: it comes back',
    knownFrom: 'this server',
    edits: [
      {
        file: 'libs/core/src/runs/decide-stop.ts',
        find: `return run.isScheduled && !wasStopped ? 'stopped_by_user' : null;`,
        replace: `return run.isScheduled && wasStopped ? 'stopped_by_user' : null;`,
      },
    ],
  },
  {
    name: 'stop-wakes-nobody',
    loses: 'minutes after a stop, in which everything goes on',
    edits: [
      {
        file: SERVICE,
        find: `    await this.wake.rows(tx, 'runs', [run.id]);\n    const text = \`Run status`,
        replace: `    const text = \`Run status`,
      },
    ],
  },
  {
    name: 'run-ends-before-its-jobs',
    loses: 'jobs that go on, and are paid for, under a run that is over',
    edits: [
      {
        file: DECIDE,
        find: "  if (unfinishedJobs(run.jobs).length > 0) {\n    return stay('terminating'",
        replace: "  if (unfinishedJobs(run.jobs).length > 99) {\n    return stay('terminating'",
      },
    ],
  },
  {
    name: 'retry-beside-the-old-job',
    loses: 'a machine: the new submission asks for one while the old one still has its own',
    edits: [
      { file: DECIDE, find: '  if (unfinished.length > 0) return', replace: '  if (unfinished.length > 99) return' },
    ],
  },
  {
    name: 'active-run-can-be-deleted',
    loses: 'the sight of a run that goes on',
    edits: [{ file: SERVICE, find: 'if (active.length > 0) throw', replace: 'if (active.length > 99) throw' }],
  },
];
