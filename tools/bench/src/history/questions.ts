import type { Database } from '@dstack/server/parts';
import { type HistoryPlan, nameOfRun, projectOf } from './grow-history.js';
import { madeUpId } from './made-up-id.js';

type ReadTx = Parameters<Parameters<Database['read']>[0]>[0];

export interface Asked {
  readonly plan: HistoryPlan;
  /** In the order of `plan.projectIds`. */
  readonly projectNames: readonly string[];
  readonly userNames: readonly string[];
  /** Any whole number below `below`, and for another call another. */
  readonly any: (below: number) => number;
  /** When a run was submitted, Unix ms. */
  readonly submittedAt: (run: number) => number;
}

export interface Question {
  readonly name: string;
  readonly atMostMs: number;
  readonly askedBy: 'admin' | 'member';
  readonly request: (asked: Asked) => { readonly path: string; readonly body: unknown };
  /** The same rows with nothing around them; absent where another question has the same. */
  readonly bareSql?: (tx: ReadTx, asked: Asked) => Promise<unknown>;
}

const LIST_MS = 30;
const GET_MS = 10;
const big = ({ projectNames }: Asked): string | undefined => projectNames[0];
const small = ({ projectNames }: Asked): string | undefined => projectNames.at(-1);

function list(name: string, body: (asked: Asked) => object, askedBy: Question['askedBy'] = 'admin'): Question {
  const request = (asked: Asked) => ({ path: '/api/runs/list', body: { job_submissions_limit: 1, ...body(asked) } });
  return { name, atMostMs: LIST_MS, askedBy, request };
}

function events(name: string, body: (asked: Asked) => object, askedBy: Question['askedBy'] = 'admin'): Question {
  return { name, atMostMs: LIST_MS, askedBy, request: (asked) => ({ path: '/api/events/list', body: body(asked) }) };
}

/** A run somewhere in the past, and what a page that begins after it names. */
function page(asked: Asked): { readonly run: number; readonly at: string } {
  const run = 1 + asked.any(asked.plan.runs);
  return { run, at: new Date(asked.submittedAt(run)).toISOString() };
}

function anyRun(asked: Asked): { readonly number: number; readonly project: string } {
  const number = 1 + asked.any(asked.plan.runs);
  const place = asked.plan.projectIds.indexOf(projectOf(asked.plan, number));
  return { number, project: asked.projectNames[place] ?? '' };
}

/** Runs lists are what `dstack ps` and pages ask for: 100 runs with the last submission of each job. */
export const QUESTIONS: readonly Question[] = [
  {
    ...list('newest 100 runs of a big project', (asked) => ({ project_name: big(asked), limit: 100 })),
    async bareSql(tx, { plan }) {
      const rows = await tx.query<{ id: string }>(
        'SELECT * FROM runs WHERE project_id = ? AND deleted = false ORDER BY submitted_at DESC, id LIMIT 100',
        [plan.projectIds[0]],
      );
      const ids = rows.map(({ id }) => id);
      await tx.query(`SELECT * FROM jobs WHERE run_id IN (${ids.map(() => '?').join(', ')})`, ids);
    },
  },
  list('newest 100 runs of a small project', (asked) => ({ project_name: small(asked), limit: 100 })),
  list('newest 100 runs, by a member of a small project', () => ({ limit: 100 }), 'member'),
  list('runs of a page far back', (asked) => {
    const { run, at } = page(asked);
    return { project_name: big(asked), limit: 100, prev_submitted_at: at, prev_run_id: madeUpId('run', run) };
  }),
  list('active runs of a project', (asked) => ({ project_name: small(asked), only_active: true, limit: 100 })),
  list('active runs of everybody', () => ({ only_active: true, limit: 100 })),
  list('runs of a user', (asked) => ({
    username: asked.userNames[asked.any(asked.userNames.length)],
    project_name: small(asked),
    limit: 100,
  })),
  {
    name: 'a run by its name',
    atMostMs: GET_MS,
    askedBy: 'admin',
    request(asked) {
      const { number, project } = anyRun(asked);
      return { path: `/api/project/${project}/runs/get`, body: { run_name: nameOfRun(number) } };
    },
    async bareSql(tx, asked) {
      const { number } = anyRun(asked);
      const id = madeUpId('run', number);
      await tx.query('SELECT * FROM runs WHERE id = ?', [id]);
      await tx.query('SELECT * FROM jobs WHERE run_id = ?', [id]);
    },
  },
  {
    name: 'a run by its id',
    atMostMs: GET_MS,
    askedBy: 'admin',
    request(asked) {
      const { number, project } = anyRun(asked);
      return { path: `/api/project/${project}/runs/get`, body: { id: madeUpId('run', number) } };
    },
  },
  {
    ...events('newest 100 events of a project', (asked) => ({ within_projects: [asked.plan.projectIds.at(-1)] })),
    async bareSql(tx) {
      const rows = await tx.query<{ id: string }>('SELECT * FROM events ORDER BY recorded_at DESC, id LIMIT 100');
      const ids = rows.map(({ id }) => id);
      await tx.query(`SELECT * FROM event_targets WHERE event_id IN (${ids.map(() => '?').join(', ')})`, ids);
    },
  },
  events('newest 100 events of everything', () => ({})),
  events('newest 100 events, by a member of a small project', () => ({}), 'member'),
  events('events of a page far back', (asked) => ({
    within_projects: [asked.plan.projectIds[0]],
    prev_recorded_at: page(asked).at,
    prev_id: madeUpId('event', 0),
  })),
  events('events within a run', (asked) => ({ within_runs: [madeUpId('run', anyRun(asked).number)] })),
  events('events that a run is the target of', (asked) => ({
    target_runs: [madeUpId('run', anyRun(asked).number)],
  })),
  events('newest 100 events of jobs', (asked) => ({
    within_projects: [asked.plan.projectIds[0]],
    include_target_types: ['job'],
  })),
];
