import type { MigrationInterface } from 'typeorm';
import { Initial1764000000000 } from './1764000000000-initial.js';
import { LifeSigns1764100200000 } from './1764100200000-life-signs.js';
import { MachinesOfJobs1764100400000 } from './1764100400000-machines-of-jobs.js';
import { NarrowWrites1764100300000 } from './1764100300000-narrow-writes.js';
import { PlacementGroups1764100100000 } from './1764100100000-placement-groups.js';
import { Retention1764100700000 } from './1764100700000-retention.js';
import { Volumes1764100000000 } from './1764100000000-volumes.js';

/** Oldest first; the number in a name only ever rises. */
export const ALL_MIGRATIONS: readonly (new () => MigrationInterface & { readonly name: string })[] = [
  Initial1764000000000,
  Volumes1764100000000,
  PlacementGroups1764100100000,
  LifeSigns1764100200000,
  NarrowWrites1764100300000,
  MachinesOfJobs1764100400000,
  Retention1764100700000,
];
