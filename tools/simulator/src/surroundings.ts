import type { Faults } from './faults.js';
import type { AddressOf } from './hosts/agent-address.js';
import type { JobWatch } from './hosts/job-watch.js';
import type { Network } from './network.js';
import type { RandomSource } from './random-source.js';
import type { Story } from './story.js';
import type { VirtualTime } from './time/virtual-time.js';

/** What everything outside of the servers lives in. */
export interface Surroundings {
  readonly time: VirtualTime;
  readonly random: RandomSource;
  readonly faults: Faults;
  readonly story: Story;
  readonly network: Network;
  /** Told by agents of what they do; the invariants listen. */
  readonly watch: JobWatch;
  /** How servers come to agents. */
  readonly addressOf: AddressOf;
  /** Whether a volume is at a machine. */
  readonly isVolumeAt: (volumeId: string, machineId: string) => boolean;
}
