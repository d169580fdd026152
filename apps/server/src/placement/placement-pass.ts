import { Inject, Injectable } from '@nestjs/common';
import {
  DEFAULT_FLEET_IS_GOING,
  effectiveProfile,
  placeGroups,
  type PlacementGroup,
  type Verdict,
  waitsForReturn,
  waitsForVolumes,
} from '@dstack/core';
import { DefaultFleetMaker } from '../fleets/default-fleet.js';
import { InstanceLimits } from '../instances/instance-limits.js';
import { Database } from '../persistence/database.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import { Wake } from '../reconcile/wake.js';
import { BackendsAsker } from './ask-backends.js';
import { releaseLease, takeLease } from './lease.js';
import type { LoadedGroup } from './loaded-group.js';
import { isBlockedByThisMachine, makeRoomOnThisMachine, oneStartAtATime } from './make-room.js';
import { PlacementCommit, SeatTakenError } from './placement-commit.js';
import { loadPlacement, type PlacementScene } from './placement-loader.js';
import type { CapacityDetail } from './project-capacity.js';
import { findResumable, hasWaitingRuns, resumeRuns } from './waiting-runs.js';

// A pass that outlives it is harmless: what it commits is conditional on rows nobody else has moved.
const LEASE_MS = 15_000;

/** Gives submitted jobs their instances, for all projects at once. One server at a time does it. */
@Injectable()
export class PlacementPass {
  constructor(
    private readonly db: Database,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(BackendsAsker) private readonly backends: BackendsAsker,
    @Inject(DefaultFleetMaker) private readonly defaultFleets: DefaultFleetMaker,
    @Inject(PlacementCommit) private readonly commit: PlacementCommit,
    @Inject(InstanceLimits) private readonly limits: InstanceLimits,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
  ) {}

  /** With news, capacity may have come free: whoever waits for some is looked at too. Returns false when another server does it. */
  async run({ hasNews }: { hasNews: boolean }): Promise<boolean> {
    const [isSubmitted, isWaiting] = await this.db.read(async (tx) => {
      return [await hasSubmittedJobs(tx), hasNews && (await hasWaitingRuns(tx))];
    });
    if (!isSubmitted && !isWaiting) return true;
    if ((await takeLease(this.db, 'placement', this.me.holder, LEASE_MS)) === null) return false;
    try {
      if (isSubmitted) await this.place();
      // After those that are there already: nobody is brought back for what they took.
      if (isWaiting) await this.resume();
    } finally {
      await releaseLease(this.db, 'placement', this.me.holder);
    }
    return true;
  }

  private async resume(): Promise<void> {
    const runIds = await this.db.read(findResumable);
    if (runIds.length > 0) await this.db.write((tx) => resumeRuns(tx, this.wake, runIds));
  }

  private async place(): Promise<void> {
    const { scene, verdicts: first } = await judged(
      (detail) => this.look(detail),
      ({ groups }) => groups.map((loaded) => loaded.group),
    );
    if (scene.groups.length === 0) return;
    await this.commitAll(scene, first);
    const waiting = first.filter((verdict) => verdict.kind === 'needs-offers').map((verdict) => verdict.group);
    if (waiting.length === 0) return;
    const fleets = new Map(scene.fleets.map((fleet) => [fleet.id, fleet]));
    const asked = await Promise.all(
      waiting.map((group) => this.backends.ask(findGroup(scene, group)?.run.projectId ?? '', group, fleets)),
    );
    const { scene: after, verdicts: offered } = await judged(
      (detail) => this.load(detail),
      () => asked,
    );
    const verdicts = oneStartAtATime(offered, after.instanceRecords.values());
    const isMakingRoom = await this.db.write((tx) => makeRoomOnThisMachine(tx, this.wake, verdicts));
    const [final, waits] = isMakingRoom ? partition(verdicts, (each) => !isBlockedByThisMachine(each)) : [verdicts, []];
    await this.commitAll(after, final);
    for (const verdict of waits) {
      const run = findGroup(after, verdict.group)?.run;
      if (verdict.kind === 'no-capacity' && run !== undefined)
        await this.db.write((tx) => this.commit.explain(tx, run, verdict.explanation));
    }
  }

  private async look(detail: CapacityDetail): Promise<PlacementScene> {
    const scene = await this.withDefaultFleets(detail);
    const [ready, blocked] = partition(scene.groups, ({ volumes }) => volumes.kind === 'free');
    for (const loaded of blocked) await this.db.write((tx) => this.tellOfVolumes(tx, loaded));
    return { ...scene, groups: ready };
  }

  /** What passes by itself is waited for; what somebody else has may take as long as they like. */
  private async tellOfVolumes(tx: WriteTx, loaded: LoadedGroup): Promise<void> {
    const { volumes } = loaded;
    if (volumes.kind === 'free') return;
    const explanation = waitsForVolumes(volumes.because);
    if (volumes.kind === 'wait') await this.commit.explain(tx, loaded.run, explanation);
    else await this.commit.refuse(tx, loaded, { message: volumes.because, explanation });
  }

  /** A default fleet that somebody deleted since its run was submitted is made again. */
  private async withDefaultFleets(detail: CapacityDetail): Promise<PlacementScene> {
    const scene = await this.load(detail);
    const lacking = scene.groups.filter((loaded) => loaded.lacksDefaultFleet);
    if (lacking.length === 0) return scene;
    await this.db.write(async (tx) => {
      for (const { run } of lacking) {
        await this.defaultFleets.makeIfNeeded(tx, run.projectId, effectiveProfile(run.spec));
      }
    });
    const again = await this.load(detail);
    // The rest waits until the old fleet is gone, which brings another pass.
    const [waits, groups] = partition(again.groups, (loaded) => loaded.lacksDefaultFleet);
    for (const { run } of waits) await this.db.write((tx) => this.commit.explain(tx, run, DEFAULT_FLEET_IS_GOING));
    return { ...again, groups };
  }

  private load(detail: CapacityDetail): Promise<PlacementScene> {
    return this.db.read((tx) => loadPlacement(tx, detail));
  }

  private async commitAll(scene: PlacementScene, verdicts: readonly Verdict[]): Promise<void> {
    // Of a run that is placed in part, what is missing is what it keeps to say.
    const [placed, others] = partition(verdicts, (verdict) => verdict.kind === 'placed');
    const decided = [...placed, ...others].flatMap((verdict) => {
      const loaded = findGroup(scene, verdict.group);
      return loaded === null || verdict.kind === 'needs-offers' ? [] : [{ loaded, verdict }];
    });
    for (let from = 0; from < decided.length; from += GROUPS_IN_COMMIT) {
      const some = decided.slice(from, from + GROUPS_IN_COMMIT);
      if (await this.commitSome(scene, some)) continue;
      for (const one of some) await this.commitSome(scene, [one]);
    }
  }

  /** All of them, or none. A group whose rows moved keeps the others from being committed with it; it waits for the next pass. */
  private async commitSome(scene: PlacementScene, decided: readonly Decided[]): Promise<boolean> {
    try {
      await this.db.write(async (tx) => {
        await this.commit.holdJobs(tx, decided.map(({ loaded }) => loaded)); // prettier-ignore
        for (const { loaded, verdict } of decided) await this.commitOne(tx, scene, loaded, verdict);
      });
      return true;
    } catch (error) {
      if (!(error instanceof SeatTakenError)) throw error;
      return false;
    }
  }

  private async commitOne(tx: WriteTx, scene: PlacementScene, loaded: LoadedGroup, verdict: Decided['verdict']) {
    if (verdict.kind === 'placed') return this.commit.seat(tx, scene, loaded, verdict);
    const patience = { now: await tx.now(), patienceMs: this.limits.unreachableJobMs };
    return waitsForReturn(verdict.group, scene, patience)
      ? this.commit.explain(tx, loaded.run, verdict.explanation)
      : this.commit.refuse(tx, loaded, verdict);
  }
}

/** What one commit takes: all others that wait for the same fleet wait for its end. */
const GROUPS_IN_COMMIT = 50;

interface Decided {
  readonly loaded: LoadedGroup;
  readonly verdict: Exclude<Verdict, { kind: 'needs-offers' }>;
}

interface Judged {
  readonly scene: PlacementScene;
  readonly verdicts: readonly Verdict[];
}

/** Most jobs find a place among the machines with room. Only who finds none needs to know all of them, and why. */
async function judged(
  load: (detail: CapacityDetail) => Promise<PlacementScene>,
  groupsOf: (scene: PlacementScene) => readonly PlacementGroup[],
): Promise<Judged> {
  const free = await load('room');
  const verdicts = decide(free, groupsOf(free));
  if (!verdicts.some((verdict) => verdict.kind === 'no-capacity')) return { scene: free, verdicts };
  const scene = await load('all');
  return { scene, verdicts: decide(scene, groupsOf(scene)) };
}

function partition<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))];
}

function decide({ instances, absent, fleets }: PlacementScene, groups: readonly PlacementGroup[]): Verdict[] {
  return placeGroups({ groups, instances, absent, fleets });
}

async function hasSubmittedJobs(tx: ReadTx): Promise<boolean> {
  const rows = await tx.query(`SELECT id FROM jobs WHERE status = 'submitted' AND instance_id IS NULL LIMIT 1`);
  return rows.length > 0;
}

function findGroup(scene: PlacementScene, group: PlacementGroup): LoadedGroup | null {
  return scene.groups.find((loaded) => loaded.group.jobs[0]?.id === group.jobs[0]?.id) ?? null;
}
