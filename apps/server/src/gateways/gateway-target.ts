import type { EventTarget } from '../events/event.js';

/** A gateway as events name it. */
export function gatewayTarget({
  id,
  name,
  projectId,
}: {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
}): EventTarget {
  return { type: 'gateway', id, name, projectId };
}
