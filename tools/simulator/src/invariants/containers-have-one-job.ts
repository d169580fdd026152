import type { Invariant } from './invariant.js';

/** A container was made for one job and ends with it: it never waits for another. */
export const containersHaveOneJob: Invariant = {
  afterChange({ story, changes }) {
    for (const { after } of changes.instances)
      if (after.isContainer === 1 && after.status === 'idle')
        story.violate(`instance ${after.name} is a container, and waits for another job`);
  },
};
