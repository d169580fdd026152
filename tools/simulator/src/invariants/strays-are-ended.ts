import type { CloudMachine } from '../clouds/cloud-machine.js';
import type { Invariant, Scene } from './invariant.js';
import { misfits } from './machines-have-rows.js';

/**
 * For clouds without tokens and names whose create calls may be under way for longer than anybody waits: a machine that nobody is behind is
 * terminated, and an event says which.
 */
export class StraysAreEnded implements Invariant {
  private readonly strays = new Set<CloudMachine>();

  get count(): number {
    return this.strays.size;
  }

  afterChange(scene: Scene): void {
    for (const { machine } of misfits(scene)) this.strays.add(machine);
  }

  atTheEnd({ story, machines, query }: Scene): void {
    for (const { id, cloudName } of machines()) story.violate(`machine ${id} (${cloudName}) is left running`);
    for (const { id, cloudName, terminationAskedAt } of this.strays) {
      // The cloud may take it away before.
      if (terminationAskedAt === null) continue;
      const told = query(
        `SELECT 1 FROM events WHERE message LIKE ? LIMIT 1`,
        `Machine ${cloudName} of % is terminated: %`,
      );
      if (told.length === 0) story.violate(`machine ${id} (${cloudName}) belonged to nobody, and no event says so`);
    }
  }
}
