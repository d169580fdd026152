import type { Invariant } from './invariant.js';

/** A fleet has never more machines than it may have – unless the limit was lowered below what there is. */
export const fleetsKeepTheirLimit: Invariant = {
  afterChange({ story, changes, mirror }) {
    const grown = new Set(
      changes.instances.flatMap(({ before, after }) => (before === undefined ? [after.fleetId] : [])),
    );
    // Of a limit that has just been changed nobody can tell which one was in force.
    for (const { id } of changes.fleets) grown.delete(id);
    for (const fleetId of grown) {
      const fleet = fleetId === null ? undefined : mirror.fleets.get(fleetId);
      if (fleet === undefined || fleet.maxNodes === null) continue;
      const nodes = [...mirror.instances.values()].filter(
        (each) => each.fleetId === fleetId && each.status !== 'terminating' && each.status !== 'terminated',
      ).length;
      if (nodes > fleet.maxNodes)
        story.violate(`fleet ${fleet.name} grows to ${nodes} of at most ${fleet.maxNodes} nodes`);
    }
  },
};
