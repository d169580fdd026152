import type { Bench } from '../bench.js';

interface Listed {
  readonly id: string;
  load(): Promise<Bench>;
}

/** Loaded when chosen: one bench's programs are not in another's memory. */
export const BENCHES: readonly Listed[] = [
  { id: 'B11', load: async () => (await import('./b11-cli-start.js')).bench },
  { id: 'B12', load: async () => (await import('./b12-server-start.js')).bench },
];
