import { type ProbeAnswer, ProbeAsker } from '@dstack/server/parts';
import type { RandomSource } from '../random-source.js';

/** Answers of replicas, by chance. */
export class SimulatedProbes extends ProbeAsker {
  constructor(private readonly random: RandomSource) {
    super();
  }

  override ask(): Promise<ProbeAnswer> {
    if (this.random.chance(0.05)) return Promise.resolve('unknown');
    return Promise.resolve(this.random.chance(0.8) ? 'yes' : 'no');
  }
}
