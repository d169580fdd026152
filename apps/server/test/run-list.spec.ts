import fc from 'fast-check';
import type { Wire } from '@dstack/core';
import { toWireTime } from '../src/http/wire-time.js';
import type { Database } from '../src/persistence/database.js';
import { type RunListScope, runListQuery } from '../src/runs/run-list-query.js';
import { findRuns } from '../src/runs/run-record.js';
import { testDatabases } from './support/test-databases.js';

const PROJECTS = ['p1', 'p2', 'gone'];
const USERS = ['ann', 'bob'];

interface Row {
  readonly id: string;
  readonly project: string;
  readonly user: string;
  readonly at: number;
  readonly status: string;
  readonly deleted: boolean;
}

/** Many at the same millisecond, so that ids have to order them. */
const row: fc.Arbitrary<Row> = fc.record({
  id: fc.uuid(),
  project: fc.constantFrom(...PROJECTS),
  user: fc.constantFrom(...USERS),
  at: fc.integer({ min: 1, max: 12 }),
  status: fc.constantFrom('running', 'submitted', 'done', 'failed', 'terminated'),
  deleted: fc.boolean(),
});

const scope: fc.Arbitrary<RunListScope> = fc.record({
  projectIds: fc.option(fc.uniqueArray(fc.constantFrom(...PROJECTS))),
  userId: fc.option(fc.constantFrom(...USERS)),
});

const request: fc.Arbitrary<Wire.ListRunsRequest> = fc.record(
  { only_active: fc.boolean(), ascending: fc.boolean(), limit: fc.integer({ min: 1, max: 30 }) },
  { noNullPrototype: true },
);

/** What a list is, said without an index. */
function expected(rows: readonly Row[], { projectIds, userId }: RunListScope, asked: Wire.ListRunsRequest): string[] {
  const direction = asked.ascending === true ? 1 : -1;
  return rows
    .filter(
      ({ project, user, status, deleted }) =>
        !deleted &&
        (projectIds === null ? project !== 'gone' : projectIds.includes(project)) &&
        (userId === null || user === userId) &&
        (asked.only_active !== true || status === 'running' || status === 'submitted'),
    )
    .sort((a, b) => direction * (a.at - b.at) || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

describe.each(testDatabases())('the list of runs on $name', ({ open }) => {
  let db: Database;
  const rows = fc.sample(row, { numRuns: 150, seed: 1 });

  beforeAll(async () => {
    db = await open();
    await db.write(async (tx) => {
      for (const id of USERS)
        await tx.execute(
          `INSERT INTO users (id, name, token_hash, token, global_role, projects_quota, created_at) VALUES (?, ?, ?, '', 'user', 1, 0)`,
          [id, id, id],
        );
      for (const id of PROJECTS)
        await tx.execute(
          `INSERT INTO projects (id, name, owner_id, ssh_public_key, ssh_private_key, created_at, deleted) VALUES (?, ?, 'ann', '', '', 0, ?)`,
          [id, id, id === 'gone'],
        );
      for (const { id, project, user, at, status, deleted } of rows)
        await tx.execute(
          `INSERT INTO runs (id, project_id, user_id, name, submitted_at, status, status_changed_at, run_spec, deleted) VALUES (?, ?, ?, ?, ?, ?, 0, '{}', ?)`,
          [id, project, user, id, at, status, deleted],
        );
    });
  });

  const page = async (
    of: RunListScope,
    asked: Wire.ListRunsRequest,
  ): Promise<readonly { id: string; at: string }[]> => {
    const query = runListQuery(of, asked);
    if (query === null) return [];
    const runs = await db.read((tx) => findRuns(tx, query.sql, query.params));
    return runs.map((run) => ({ id: run.id, at: toWireTime(run.submittedAt) }));
  };

  it('has, page by page, exactly what meets the filters, in order', async () => {
    await fc.assert(
      fc.asyncProperty(scope, request, async (of, asked) => {
        const seen: string[] = [];
        let place: Pick<Wire.ListRunsRequest, 'prev_submitted_at' | 'prev_run_id'> = {};
        for (;;) {
          const some = await page(of, { ...asked, ...place });
          seen.push(...some.map(({ id }) => id));
          const last = some.at(-1);
          if (last === undefined || some.length < (asked.limit ?? 0)) break;
          place = { prev_submitted_at: last.at, prev_run_id: last.id };
        }
        expect(seen).toEqual(expected(rows, of, asked));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('of more projects than are read one by one is the same', async () => {
    const projectIds = ['p1', 'p2', ...Array.from({ length: 200 }, (_, index) => `absent-${index}`)];
    const of = { projectIds, userId: null };
    expect((await page(of, { limit: 20 })).map(({ id }) => id)).toEqual(expected(rows, of, {}).slice(0, 20));
  });
});
