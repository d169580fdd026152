import type { EventTarget } from '../events/event.js';

/** A volume as events name it. */
export function volumeTarget({
  id,
  name,
  projectId,
}: {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
}): EventTarget {
  return { type: 'volume', id, name, projectId };
}
