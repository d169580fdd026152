import type { Invariant } from './invariant.js';

const GOING: ReadonlySet<string> = new Set(['terminating', 'terminated']);

interface Left {
  readonly reason: string | null;
  readonly least: number | null;
}

/** No machine is given up for being idle that its fleet always wants to have: another would be made in its place. */
export const fleetsKeepTheirLeast: Invariant = {
  afterChange({ changes, mirror, query, story }) {
    const going = changes.instances.flatMap(({ id, before, after }) => {
      if (before === undefined || GOING.has(before.status) || !GOING.has(after.status)) return [];
      const [left] = query<Left>(
        `SELECT i.termination_reason AS reason, json_extract(f.spec, '$.configuration.nodes.min') AS least
         FROM instances i LEFT JOIN fleets f ON f.id = i.fleet_id WHERE i.id = ?`,
        id,
      );
      return left === undefined ? [] : [{ ...left, name: after.name, fleetId: after.fleetId }];
    });
    for (const { reason, least, name, fleetId } of going) {
      // One that was changed at the same moment wanted something else before.
      if (reason !== 'idle_timeout' || changes.fleets.some(({ id }) => id === fleetId)) continue;
      const stay = [...mirror.instances.values()].filter((each) => each.fleetId === fleetId && !GOING.has(each.status));
      // What went at the same moment for another reason was there.
      const others = going.filter((each) => each.fleetId === fleetId && each.reason !== 'idle_timeout');
      if (stay.length + others.length < (least ?? 0))
        story.violate(`${name} is given up for being idle, and its fleet has ${stay.length} of ${least ?? 0}`);
    }
  },
};
