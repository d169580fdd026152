import type { SqliteConnection } from '@dstack/server/parts';
import type { CloudMachine } from '../clouds/cloud-machine.js';
import type { Story } from '../story.js';
import { blocksMatchJobs } from './blocks-match-jobs.js';
import type { ChangeLog } from './change-log.js';
import { containersHaveOneJob } from './containers-have-one-job.js';
import { EndedJobsStop } from './ended-jobs-stop.js';
import { everythingEnds, isEverythingFinal } from './everything-ends.js';
import { fleetsKeepTheirLeast } from './fleets-keep-their-least.js';
import { fleetsKeepTheirLimit } from './fleets-keep-their-limit.js';
import { gangsAreWhole } from './gangs-are-whole.js';
import { hostsAreLeftClean } from './hosts-are-left-clean.js';
import type { Invariant, Scene } from './invariant.js';
import { jobsEndInTime } from './jobs-end-in-time.js';
import { Mirror } from './mirror.js';
import { moneyIsRight } from './money-is-right.js';
import { nothingIsForgotten } from './nothing-is-forgotten.js';
import { runsAndJobsAgree } from './runs-and-jobs-agree.js';
import { seatsAreSound } from './seats-are-sound.js';
import { servicesAreSound } from './services-are-sound.js';
import { placesAreTriedOnce } from './places-are-tried-once.js';
import { statusesMoveForward } from './statuses-move-forward.js';
import { StopsAreHeard } from './stops-are-heard.js';
import { volumesAreLetGo } from './volumes-are-let-go.js';

const INVARIANTS: readonly Invariant[] = [
  placesAreTriedOnce,
  statusesMoveForward,
  runsAndJobsAgree,
  seatsAreSound,
  servicesAreSound,
  blocksMatchJobs,
  gangsAreWhole,
  containersHaveOneJob,
  fleetsKeepTheirLimit,
  fleetsKeepTheirLeast,
  moneyIsRight,
  nothingIsForgotten,
  jobsEndInTime,
  everythingEnds,
  hostsAreLeftClean,
  volumesAreLetGo,
];
const NOW_AND_THEN_MS = 30_000;

export interface Sights {
  readonly machines: () => readonly CloudMachine[];
  readonly inhabitedHosts: () => readonly string[];
  readonly disks: () => readonly string[];
  readonly unfinishedOnHosts: () => readonly string[];
  /** Moves with every change of the clouds. */
  readonly version: () => number;
}

/** Looks at the world whenever it has come to rest, and asks every invariant. */
export class Watched {
  readonly mirror: Mirror;
  private readonly invariants: readonly Invariant[];
  private seenVersion = -1;
  private nextLook = 0;

  constructor(
    private readonly connection: SqliteConnection,
    log: ChangeLog,
    private readonly story: Story,
    private readonly sights: Sights,
    more: readonly Invariant[],
  ) {
    this.mirror = new Mirror(connection, log);
    this.invariants = [...INVARIANTS, new EndedJobsStop(), new StopsAreHeard(), ...more];
  }

  /** `hasWritten`: whether a server has committed something since the last look. */
  look(hasWritten: boolean, now: number, calmMs: () => number): void {
    const version = this.sights.version();
    if (hasWritten || version !== this.seenVersion) {
      this.seenVersion = version;
      const scene = this.scene(now, 0);
      for (const invariant of this.invariants) invariant.afterChange?.(scene);
    }
    if (now < this.nextLook) return;
    this.nextLook = now + NOW_AND_THEN_MS;
    const scene = this.scene(now, calmMs());
    for (const invariant of this.invariants) invariant.nowAndThen?.(scene);
  }

  isOver(): boolean {
    const { sights, mirror, connection } = this;
    if (sights.machines().length > 0 || sights.disks().length > 0 || !isEverythingFinal(mirror)) return false;
    // The end of a log is still to be taken, or to be said to be lost.
    return connection.prepare('SELECT 1 FROM jobs WHERE next_due_at IS NOT NULL LIMIT 1').all().length === 0;
  }

  atTheEnd(now: number): void {
    const scene = this.scene(now, 0);
    for (const invariant of this.invariants) invariant.atTheEnd?.(scene);
  }

  private scene(now: number, calmMs: number): Scene {
    const { story, mirror, connection, sights } = this;
    return {
      story,
      mirror,
      changes: mirror.refresh(),
      machines: sights.machines,
      inhabitedHosts: sights.inhabitedHosts,
      disks: sights.disks,
      unfinishedOnHosts: sights.unfinishedOnHosts,
      now,
      calmMs,
      query: <Row extends object>(sql: string, ...params: unknown[]) => connection.prepare(sql).all(...params) as Row[], // as the migrations shape them
    };
  }
}
