import { Client } from 'pg';
import type { Database } from '@dstack/server/parts';
import { insertRows, type Row } from './insert-rows.js';
import { madeUpId } from './made-up-id.js';
import { withoutIndexes } from './without-indexes.js';

export interface HistoryPlan {
  readonly runs: number;
  readonly eventsPerRun: number;
  /** The first one has half of the runs, the others share the rest. */
  readonly projectIds: readonly string[];
  readonly userIds: readonly string[];
}

/** One run in so many still runs: old and new ones, of every project and user. The shares are prime to each other, so that all mix. */
const ACTIVE_EVERY = 499;
export const RUN_EVERY_MS = 60_000;
const RUNS_PER_TRANSACTION = 5_000;
const TABLES = ['runs', 'jobs', 'events', 'event_targets'] as const;

/** Of each ten runs one was retried twice, and one has four nodes. */
const MORE_JOBS: Readonly<Record<number, readonly { readonly node: number; readonly submission: number }[]>> = {
  8: [1, 2].map((submission) => ({ node: 0, submission })),
  9: [1, 2, 3].map((node) => ({ node, submission: 0 })),
};

export const nameOfRun = (number: number): string => `training-${number}`;

export function projectOf(plan: Pick<HistoryPlan, 'projectIds'>, run: number): string {
  return pick(plan.projectIds, run % 2 === 0 ? 0 : (run >> 1) % plan.projectIds.length);
}

/**
 * Copies the only run of a database, with its job and its events, until the database has a history: run 1 is the oldest, each was submitted
 * a minute after the one before. What the copies hold – specs, sealed values, provisioning data – is what the server wrote.
 */
export async function growHistory(db: Database, plan: HistoryPlan, say: (text: string) => void): Promise<void> {
  const template = await readTemplate(db);
  // The connection that writes keeps its pages in memory.
  if (db.dialect === 'sqlite') await db.write((tx) => tx.query('PRAGMA cache_size = -1000000'));
  await withoutIndexes(db, TABLES, async () => {
    for (let first = 1; first <= plan.runs; first += RUNS_PER_TRANSACTION) {
      const last = Math.min(plan.runs, first + RUNS_PER_TRANSACTION - 1);
      await copyRuns(db, template, plan, first, last);
      if (last % 20_000 === 0) say(`${db.dialect}: ${last} runs`);
    }
  });
  // A database that grew to this size in its own time has been vacuumed on the way.
  if (db.noticesUrl !== null) await vacuum(db.noticesUrl);
}

async function copyRuns(
  db: Database,
  template: Template,
  plan: HistoryPlan,
  first: number,
  last: number,
): Promise<void> {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const copies = numbers.map((number) => copyOf(template, plan, number));
  await db.write(async (tx) => {
    for (const table of TABLES) {
      const rows = copies.flatMap((copy) => copy[table]);
      await insertRows(tx, table, rows);
    }
  });
}

interface Template {
  readonly run: Row & { readonly id: string };
  readonly job: Row & { readonly id: string };
  readonly submittedAt: number;
  readonly events: readonly { readonly row: Row; readonly afterMs: number; readonly targets: readonly Row[] }[];
}

async function readTemplate(db: Database): Promise<Template> {
  return db.read(async (tx) => {
    const [run] = await tx.query<Row & { id: string; submitted_at: number }>('SELECT * FROM runs');
    const [job] = await tx.query<Row & { id: string }>('SELECT * FROM jobs');
    if (run === undefined || job === undefined) throw new Error('There is no run to copy.');
    const events = await tx.query<Row & { id: string; recorded_at: number }>(
      `SELECT * FROM events WHERE id IN (SELECT event_id FROM event_targets WHERE run_id = ?) ORDER BY recorded_at, id`,
      [run.id],
    );
    const targets = await tx.query<Row & { event_id: string }>('SELECT * FROM event_targets');
    return {
      run,
      job,
      submittedAt: run.submitted_at,
      events: events.map((row) => ({
        row,
        afterMs: row.recorded_at - run.submitted_at,
        targets: targets.filter((target) => target.event_id === row.id),
      })),
    };
  });
}

type Copies = Readonly<Record<(typeof TABLES)[number], readonly Row[]>>;

function copyOf(template: Template, plan: HistoryPlan, number: number): Copies {
  const submittedAt = template.submittedAt - (plan.runs + 1 - number) * RUN_EVERY_MS;
  const isActive = number % ACTIVE_EVERY === 0;
  const id = madeUpId('run', number);
  const ofAll = {
    project_id: projectOf(plan, number),
    submitted_at: submittedAt,
    status_changed_at: submittedAt + RUN_EVERY_MS,
    finished_at: isActive ? null : submittedAt + RUN_EVERY_MS,
    ...(isActive ? { status: 'running', termination_reason: null } : {}),
  };
  const jobs = [{ node: 0, submission: 0 }, ...(MORE_JOBS[Math.floor(number / 7) % 10] ?? [])].map(
    ({ node, submission }, index) => ({
      ...template.job,
      ...ofAll,
      id: madeUpId('job', number * 8 + index),
      run_id: id,
      job_num: node,
      submission_num: submission,
    }),
  );
  const userId = pick(plan.userIds, Math.floor(number / 3) % plan.userIds.length);
  return {
    runs: [{ ...template.run, ...ofAll, id, user_id: userId, name: nameOfRun(number), idempotency_key: null }],
    jobs,
    ...eventsOf(template, plan, number, submittedAt),
  };
}

function eventsOf(
  template: Template,
  plan: HistoryPlan,
  number: number,
  submittedAt: number,
): Pick<Copies, 'events' | 'event_targets'> {
  const events: Row[] = [];
  const targets: Row[] = [];
  for (let index = 0; index < plan.eventsPerRun; index += 1) {
    const position = number * plan.eventsPerRun + index;
    // A run with fewer events of its own has them again.
    const event = pick(template.events, index % template.events.length);
    const id = madeUpId('event', position);
    const recordedAt = submittedAt + event.afterMs + index;
    events.push({ ...event.row, id, recorded_at: recordedAt });
    for (const target of event.targets)
      targets.push({
        ...copiedTarget(target, template, plan, number),
        event_id: id,
        recorded_at: recordedAt,
      });
  }
  return { events, event_targets: targets };
}

function copiedTarget(target: Row, { run, job }: Template, plan: HistoryPlan, number: number): Row {
  const { entity_id: of } = target;
  return {
    ...target,
    entity_id: of === run.id ? madeUpId('run', number) : of === job.id ? madeUpId('job', number * 8) : (of ?? null),
    entity_project_id: target['entity_project_id'] == null ? null : projectOf(plan, number),
    run_id: target['run_id'] == null ? null : madeUpId('run', number),
  };
}

function pick<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError('nothing to choose from');
  return value;
}

/** Not within a transaction, as all of `Database` is. */
async function vacuum(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}
