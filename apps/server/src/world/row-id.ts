import type { World } from './world.js';

/**
 * A UUID v4 for a row of a table that grows fast: it begins with the time in milliseconds, so that rows made one after the other are beside
 * each other in every index of ids, and a commit of many writes few pages. 74 bits are left to chance. Nothing that has to be guessed.
 */
export function rowId({ clock, ids }: Pick<World, 'clock' | 'ids'>): string {
  const time = clock.now().toString(16).padStart(12, '0').slice(-12);
  return `${time.slice(0, 8)}-${time.slice(8)}${ids.uuid().slice(13)}`;
}
