import type { Invariant } from './invariant.js';
import type { InstanceFacts } from './mirror.js';

/** No job is given a machine that is on its way out. What changed more than once between two looks is not judged. */
export const seatsAreSound: Invariant = {
  afterChange({ story, changes, mirror }) {
    const changed = new Map(changes.instances.map((change) => [change.id, change]));
    for (const { before, after } of changes.jobs) {
      const id = after.instanceId;
      if (id === null || before?.instanceId === id) continue;
      const now = mirror.instances.get(id);
      const then = changed.has(id) ? changed.get(id)?.before : now;
      if (now === undefined || then === undefined) continue;
      if (isEnding(then) && isEnding(now))
        story.violate(`job ${after.name} is given ${now.name}, which is ${now.status}`);
      else if (then.isUnwanted === 1 && now.isUnwanted === 1)
        story.violate(`job ${after.name} is given ${now.name}, which is to go`);
    }
  },
};

function isEnding({ status }: InstanceFacts): boolean {
  return status === 'terminating' || status === 'terminated';
}
