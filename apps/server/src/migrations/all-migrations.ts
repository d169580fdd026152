import type { MigrationInterface } from 'typeorm';
import { Catalogs1764100600000 } from './1764100600000-catalogs.js';
import { ForgottenMachines1764109000000 } from './1764109000000-forgotten-machines.js';
import { Gateways1764100500000 } from './1764100500000-gateways.js';
import { Initial1764000000000 } from './1764000000000-initial.js';
import { LifeSigns1764100200000 } from './1764100200000-life-signs.js';
import { MachineGroups1764101000000 } from './1764101000000-machine-groups.js';
import { LogSegments1764103000000 } from './1764103000000-log-segments.js';
import { MachinesOfJobs1764100400000 } from './1764100400000-machines-of-jobs.js';
import { NarrowWrites1764100300000 } from './1764100300000-narrow-writes.js';
import { PlacementGroups1764100100000 } from './1764100100000-placement-groups.js';
import { Sharing1764100700000 } from './1764100700000-sharing.js';
import { ServerLives1764104000000 } from './1764104000000-server-lives.js';
import { SignIn1764100800000 } from './1764100800000-sign-in.js';
import { Retention1764100900000 } from './1764100900000-retention.js';
import { UnansweredVolumeCalls1764101900000 } from './1764101900000-unanswered-volume-calls.js';
import { Tokens1764105000000 } from './1764105000000-tokens.js';
import { Volumes1764100000000 } from './1764100000000-volumes.js';

/** Oldest first; the number in a name only ever rises. */
export const ALL_MIGRATIONS: readonly (new () => MigrationInterface & { readonly name: string })[] = [
  Initial1764000000000,
  Volumes1764100000000,
  PlacementGroups1764100100000,
  LifeSigns1764100200000,
  NarrowWrites1764100300000,
  MachinesOfJobs1764100400000,
  Gateways1764100500000,
  Catalogs1764100600000,
  Sharing1764100700000,
  SignIn1764100800000,
  Retention1764100900000,
  MachineGroups1764101000000,
  UnansweredVolumeCalls1764101900000,
  LogSegments1764103000000,
  ServerLives1764104000000,
  Tokens1764105000000,
  ForgottenMachines1764109000000,
];
