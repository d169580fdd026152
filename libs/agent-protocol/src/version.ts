/** Range of protocol versions this build speaks. A server talks to agents N-2..N: it picks the highest both know. */
export const PROTOCOL = { min: 1, max: 1 } as const;

/** Header that carries the connection lease's epoch; an agent refuses a lower one than it has seen (fencing). */
export const EPOCH_HEADER = 'x-dstack-epoch';
