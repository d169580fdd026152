import type { CloudMachine } from '../clouds/cloud-machine.js';
import type { Invariant, Scene } from './invariant.js';

/** Every machine that lives in a cloud belongs to an instance that is not over, and no instance has two. */
export const machinesHaveRows: Invariant = {
  afterChange(scene) {
    for (const { because } of misfits(scene)) scene.story.violate(because);
  },

  atTheEnd({ story, machines }) {
    for (const { id, cloudName } of machines()) story.violate(`machine ${id} (${cloudName}) is left running`);
  },
};

interface Misfit {
  readonly machine: CloudMachine;
  readonly because: string;
}

/** Machines that belong to no instance, and second machines of one. */
export function misfits({ mirror, machines }: Scene): Misfit[] {
  const living = machines();
  if (living.length === 0) return [];
  const owners = new Map<string, string>();
  for (const { cloudName, instanceId } of mirror.attempts.values()) owners.set(cloudName, instanceId);
  const seen = new Map<string, string>();
  return living.flatMap((machine): Misfit[] => {
    const { id, cloudName, group } = machine;
    const owner = owners.get(cloudName);
    const instance = owner === undefined ? undefined : mirror.instances.get(owner);
    if (owner === undefined || instance === undefined || instance.status === 'terminated')
      return [{ machine, because: `machine ${id} (${cloudName}) belongs to no instance` }];
    const place = `${owner} ${group?.rank ?? 0}`;
    const other = seen.get(place);
    if (other !== undefined)
      return [{ machine, because: `instance ${instance.name} has two machines: ${other} and ${id}` }];
    seen.set(place, id);
    return [];
  });
}
