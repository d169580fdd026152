import type { World } from '../world/world.js';

/** The name a soft-deleted row gets, so that its own name is free again. */
export function deletedName({ clock, random }: Pick<World, 'clock' | 'random'>): string {
  return `_deleted_${Math.floor(clock.now() / 1_000)}_${random.bytes(8).toString('hex')}`;
}
