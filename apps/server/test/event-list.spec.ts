import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import type { Wire } from '@dstack/core';
import type { Caller } from '../src/auth/caller.js';
import { EventRecorder } from '../src/events/event-recorder.js';
import type { EventTarget, NewEvent } from '../src/events/event.js';
import { EventsService } from '../src/events/events.service.js';
import { toWireTime } from '../src/http/wire-time.js';
import type { Database } from '../src/persistence/database.js';
import { realWorld } from '../src/world/real-world.js';
import { rowId } from '../src/world/row-id.js';
import { testDatabases } from './support/test-databases.js';

const PROJECTS = ['p1', 'p2', 'p3'];
const USERS = ['admin', 'ann', 'bob'];
const ENTITIES = ['a', 'b', 'c'];
const TYPES = ['run', 'job', 'fleet', 'instance', 'secret', 'user'] as const;
const MEMBERSHIPS: Readonly<Record<string, readonly string[]>> = { ann: ['p1', 'p2'], bob: [] };

interface Recorded extends NewEvent {
  readonly id: string;
  readonly at: number;
}

const someOf = (values: readonly string[]): fc.Arbitrary<string[]> => fc.uniqueArray(fc.constantFrom(...values));

const target = (projectId: string): fc.Arbitrary<EventTarget> =>
  fc
    .record({ type: fc.constantFrom(...TYPES), id: fc.constantFrom(...ENTITIES), user: fc.constantFrom(...USERS) })
    .map(({ type, id, user }) =>
      type === 'user'
        ? { type, id: user, name: user, projectId: null }
        : {
            type,
            id,
            name: id,
            projectId,
            ...(type === 'run' || type === 'job' ? { runId: id } : {}),
            ...(type === 'fleet' || type === 'instance' ? { fleetId: id } : {}),
          },
    );

/** Many at the same millisecond, so that ids have to order them. */
const event: fc.Arbitrary<Omit<Recorded, 'id'>> = fc.constantFrom(...PROJECTS).chain((projectId) =>
  fc.record({
    at: fc.integer({ min: 1, max: 12 }),
    message: fc.constant('something happened'),
    actorId: fc.constantFrom(null, ...USERS),
    targets: fc.tuple(target(projectId), target(projectId), target(projectId)),
  }),
);

const request: fc.Arbitrary<Wire.ListEventsRequest> = fc
  .record(
    {
      target: fc.constantFrom('target_runs', 'target_jobs', 'target_users', 'target_projects', 'target_fleets', null),
      within: fc.constantFrom('within_projects', 'within_runs', 'within_fleets', null),
      projects: someOf(PROJECTS),
      users: someOf(USERS),
      entities: someOf(ENTITIES),
      types: fc.option(someOf(TYPES)),
      actors: fc.option(fc.uniqueArray(fc.constantFrom(null, ...USERS))),
      ascending: fc.boolean(),
      limit: fc.integer({ min: 1, max: 40 }),
    },
    { noNullPrototype: true },
  )
  .map(({ target: about, within, projects, users, entities, types, actors, ascending, limit }) => ({
    ...(about === null
      ? {}
      : { [about]: about === 'target_users' ? users : about === 'target_projects' ? projects : entities }),
    ...(within === null ? {} : { [within]: within === 'within_projects' ? projects : entities }),
    include_target_types: types as Wire.EventTargetType[] | null,
    actors,
    ascending,
    limit,
  }));

/** What a list is, said without an index. */
function expected(events: readonly Recorded[], viewer: string, asked: Wire.ListEventsRequest): string[] {
  const some = (one: Recorded, holds: (target: EventTarget) => boolean): boolean => one.targets.some(holds);
  const isIn = (list: readonly string[] | null | undefined, value: string | null | undefined): boolean =>
    list == null || (value != null && list.includes(value));
  const found = events.filter((one) => {
    const visible = some(
      one,
      ({ projectId, type, id }) =>
        (projectId !== null && (MEMBERSHIPS[viewer] ?? []).includes(projectId)) || (type === 'user' && id === viewer),
    );
    return (
      (viewer === 'admin' || visible) &&
      (['run', 'job', 'user', 'project', 'fleet'] as const).every((type) => {
        const ids = asked[`target_${type}s`];
        return ids == null || some(one, (each) => each.type === type && ids.includes(each.id));
      }) &&
      (asked.within_projects == null || some(one, ({ projectId }) => isIn(asked.within_projects, projectId))) &&
      (asked.within_runs == null || some(one, ({ runId }) => isIn(asked.within_runs, runId))) &&
      (asked.within_fleets == null || some(one, ({ fleetId }) => isIn(asked.within_fleets, fleetId))) &&
      (asked.include_target_types == null || some(one, ({ type }) => isIn(asked.include_target_types, type))) &&
      (asked.actors == null || asked.actors.includes(one.actorId))
    );
  });
  const newestFirst = found.sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
  return (asked.ascending === true ? newestFirst.reverse() : newestFirst).map(({ id }) => id);
}

describe.each(testDatabases())('the list of events on $name', ({ open }) => {
  let db: Database;
  let events: Recorded[];
  let now = 0;
  const world = { ...realWorld(), clock: { now: () => now } };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    db = await open(world.clock);
    await db.write(async (tx) => {
      for (const id of USERS)
        await tx.execute(
          `INSERT INTO users (id, name, token_hash, token, global_role, projects_quota, created_at) VALUES (?, ?, ?, '', 'user', 1, 0)`,
          [id, id, id],
        );
      for (const id of PROJECTS)
        await tx.execute(
          `INSERT INTO projects (id, name, owner_id, ssh_public_key, ssh_private_key, created_at) VALUES (?, ?, 'admin', '', '', 0)`,
          [id, id],
        );
      for (const [user, projects] of Object.entries(MEMBERSHIPS))
        for (const project of projects)
          await tx.execute(`INSERT INTO members (id, project_id, user_id, project_role) VALUES (?, ?, ?, 'user')`, [
            `${user}-${project}`,
            project,
            user,
          ]);
    });
    events = [];
    for (const one of fc.sample(event, { numRuns: 250, seed: 1 })) {
      now = one.at;
      const uuid = world.ids.uuid();
      // Each the first of its millisecond: the rest of their order is left to chance.
      const itsWorld = () => ({ ...world, ids: { uuid: () => uuid } });
      await db.write((tx) => new EventRecorder(itsWorld(), { eventsTtlSeconds: 1 }).record(tx, one));
      events.push({ ...one, id: rowId(itsWorld()) });
    }
  });

  it('has, page by page, exactly what meets the filters and the viewer may see, in order', async () => {
    const service = new EventsService(db);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...USERS), request, async (viewer, asked) => {
        const caller: Caller = { id: viewer, name: viewer, globalRole: viewer === 'admin' ? 'admin' : 'user' };
        const seen: string[] = [];
        let place: Pick<Wire.ListEventsRequest, 'prev_recorded_at' | 'prev_id'> = {};
        for (;;) {
          const page = await service.list(caller, { ...asked, ...place });
          seen.push(...page.map(({ id }) => id));
          const last = page.at(-1);
          if (last === undefined || page.length < (asked.limit ?? 0)) break;
          place = { prev_recorded_at: last.recorded_at, prev_id: last.id };
        }
        expect(seen).toEqual(expected(events, viewer, asked));
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it('of more names than are looked up one by one is the same', async () => {
    const caller: Caller = { id: 'admin', name: 'admin', globalRole: 'admin' };
    const names = [...ENTITIES, ...Array.from({ length: 200 }, (_, index) => `absent-${index}`)];
    const asked: Wire.ListEventsRequest = { within_runs: names, limit: 100 };
    const page = await new EventsService(db).list(caller, asked);
    expect(page.map(({ id }) => id)).toEqual(expected(events, 'admin', asked).slice(0, 100));
    expect(page[0]?.recorded_at).toBe(toWireTime(12));
  });
});
