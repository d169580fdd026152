import type { Surroundings } from '../surroundings.js';

/** As everything outside of the servers; chance is of a stream of its own. */
export type GatewaySurroundings = Pick<Surroundings, 'time' | 'random' | 'faults' | 'story' | 'network'>;
