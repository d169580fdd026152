import type { Bench } from '../bench.js';

interface Listed {
  readonly id: string;
  readonly load: () => Promise<Bench>;
}

/** Loaded when chosen: one bench's programs are not in another's memory. */
export const BENCHES: readonly Listed[] = [
  { id: 'B1', load: async () => (await import('./b1-throughput.js')).bench },
  { id: 'B2', load: async () => (await import('./b2-latency.js')).bench },
  { id: 'B3', load: async () => (await import('./b3-gang.js')).bench },
  { id: 'B4', load: async () => (await import('./b4-active-jobs.js')).bench },
  { id: 'B5', load: async () => (await import('./b5-api-latency.js')).bench },
  { id: 'B6', load: async () => (await import('./b6-offers.js')).bench },
  { id: 'B7', load: async () => (await import('./b7-log-ingest.js')).bench },
  { id: 'B9', load: async () => (await import('./b9-proxy-requests.js')).bench },
  { id: 'B10', load: async () => (await import('./b10-proxy-streams.js')).bench },
  { id: 'B11', load: async () => (await import('./b11-cli-start.js')).bench },
  { id: 'B12', load: async () => (await import('./b12-server-start.js')).bench },
  { id: 'B13', load: async () => (await import('./b13-ssh-sessions.js')).bench },
  { id: 'B14', load: async () => (await import('./b14-takeover.js')).bench },
  { id: 'B15', load: async () => (await import('./b15-databases.js')).bench },
];
