import type { Invariant } from './invariant.js';

/** The blocks of an instance that are in use are those of its jobs, and never more than it has. */
export const blocksMatchJobs: Invariant = {
  afterChange({ story, changes, mirror }) {
    const touched = new Set(changes.instances.map(({ id }) => id));
    for (const { before, after } of changes.jobs) {
      for (const id of [before?.instanceId, after.instanceId]) if (id) touched.add(id);
    }
    if (touched.size === 0) return;
    const used = new Map<string, number>();
    for (const { instanceId, blocks } of mirror.jobs.values())
      if (instanceId !== null) used.set(instanceId, (used.get(instanceId) ?? 0) + blocks);
    for (const id of touched) {
      const instance = mirror.instances.get(id);
      const inUse = used.get(id) ?? 0;
      if (instance === undefined || (instance.busyBlocks === inUse && inUse <= instance.totalBlocks)) continue;
      story.violate(
        `instance ${instance.name}: ${instance.busyBlocks} blocks busy, ${inUse} used by jobs, ${instance.totalBlocks} in all`,
      );
    }
  },
};
