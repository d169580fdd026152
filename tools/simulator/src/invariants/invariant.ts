import type { CloudMachine } from '../clouds/cloud-machine.js';
import type { Story } from '../story.js';
import type { Changes, Mirror } from './mirror.js';

/** What is to be seen from outside when everything is at rest. */
export interface Scene {
  readonly story: Story;
  readonly mirror: Mirror;
  /** What is new since the last look. */
  readonly changes: Changes;
  /** Ours, in all clouds. */
  readonly machines: () => readonly CloudMachine[];
  /** Names of the hosts that have an agent. */
  readonly inhabitedHosts: () => readonly string[];
  /** Names of the network volumes that clouds have. */
  readonly disks: () => readonly string[];
  /** Ids of the jobs that run, or are about to, on hosts and machines that are there. */
  readonly unfinishedOnHosts: () => readonly string[];
  /** Unix milliseconds, by the clock of the database. */
  readonly now: number;
  /** For how long some server has been at work without a break and no clock was changed, in milliseconds. */
  readonly calmMs: number;
  readonly query: <Row extends object>(sql: string, ...params: unknown[]) => Row[];
}

/** One promise of the system, watched from outside. A breach is told to the story, which counts it once. */
export interface Invariant {
  /** After every step that changed the database or a cloud. */
  afterChange?(scene: Scene): void;
  /** Every half a minute. */
  nowAndThen?(scene: Scene): void;
  atTheEnd?(scene: Scene): void;
}
