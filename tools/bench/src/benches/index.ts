import type { Bench } from '../bench.js';

interface Listed {
  readonly id: string;
  load(): Promise<Bench>;
}

/** Loaded when chosen: one bench's programs are not in another's memory. */
export const BENCHES: readonly Listed[] = [
  { id: 'B5', load: async () => (await import('./b5-api-latency.js')).bench },
  { id: 'B6', load: async () => (await import('./b6-offers.js')).bench },
  { id: 'B7', load: async () => (await import('./b7-log-ingest.js')).bench },
  { id: 'B11', load: async () => (await import('./b11-cli-start.js')).bench },
  { id: 'B13', load: async () => (await import('./b13-ssh-sessions.js')).bench },
];
