/** Range of protocol versions this build speaks. A server talks to agents N-2..N: it picks the highest both know. */
export const PROTOCOL = { min: 1, max: 1 } as const;

export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

/** The highest version both sides speak; null when there is none. */
export function commonProtocol(a: ProtocolRange, b: ProtocolRange): number | null {
  const highest = Math.min(a.max, b.max);
  return highest >= Math.max(a.min, b.min) ? highest : null;
}

/** Header that carries the connection lease's epoch; an agent refuses a lower one than it has seen (fencing). */
export const EPOCH_HEADER = 'x-dstack-epoch';
