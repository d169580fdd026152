import type { CloudMachine } from '../clouds/cloud-machine.js';
import type { Invariant, Scene } from './invariant.js';

/** Every machine that lives in a cloud belongs to an instance, or to the replica of a gateway, that is not over, and none has two. */
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
  const gatewayReplicas = new Map([...mirror.gatewayReplicas.values()].map((replica) => [replica.cloudName, replica]));
  const seen = new Map<string, string>();
  return living.flatMap((machine): Misfit[] => {
    const { id, cloudName, group } = machine;
    const gateway = gatewayReplicas.get(cloudName);
    const owner = gateway === undefined ? owners.get(cloudName) : cloudName;
    if (gateway?.status === 'terminated')
      return [{ machine, because: `machine ${id} (${cloudName}) belongs to no replica of a gateway` }];
    const instance = mirror.instances.get(owner ?? '');
    if (gateway === undefined && (instance === undefined || instance.status === 'terminated'))
      return [{ machine, because: `machine ${id} (${cloudName}) belongs to no instance` }];
    const place = `${owner ?? ''} ${group?.rank ?? 0}`;
    const other = seen.get(place);
    if (other !== undefined)
      return [{ machine, because: `${(gateway ?? instance)?.name ?? cloudName} has two machines: ${other} and ${id}` }];
    seen.set(place, id);
    return [];
  });
}
