import type { Invariant } from './invariant.js';

/** Every machine that lives in a cloud belongs to an instance that is not over, and no instance has two. */
export const machinesHaveRows: Invariant = {
  afterChange({ story, mirror, machines }) {
    const living = machines();
    if (living.length === 0) return;
    const owners = new Map<string, string>();
    for (const { cloudName, instanceId } of mirror.attempts.values()) owners.set(cloudName, instanceId);
    const seen = new Map<string, string>();
    for (const { id, cloudName } of living) {
      const owner = owners.get(cloudName);
      const instance = owner === undefined ? undefined : mirror.instances.get(owner);
      if (owner === undefined || instance === undefined || instance.status === 'terminated')
        story.violate(`machine ${id} (${cloudName}) belongs to no instance`);
      else if (seen.has(owner))
        story.violate(`instance ${instance.name} has two machines: ${seen.get(owner) ?? ''} and ${id}`);
      else seen.set(owner, id);
    }
  },

  atTheEnd({ story, machines }) {
    for (const { id, cloudName } of machines()) story.violate(`machine ${id} (${cloudName}) is left running`);
  },
};
