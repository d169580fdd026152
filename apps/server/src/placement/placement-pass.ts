import { Inject, Injectable } from '@nestjs/common';
import {
  DEFAULT_RUN_IDLE_SECONDS,
  effectiveProfile,
  placeGroups,
  type PlacementCandidate,
  type PlacementGroup,
  type Seat,
  toWireBackend,
  type Verdict,
} from '@dstack/core';
import { EventRecorder } from '../events/event-recorder.js';
import { DefaultFleetMaker } from '../fleets/default-fleet.js';
import { insertInstance } from '../fleets/create-instances.js';
import { type FleetRecord, nodesOf } from '../fleets/fleet-record.js';
import { OffersService, whyNoOffers } from '../offers/offers.service.js';
import { Database } from '../persistence/database.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { releaseLease, takeLease } from './lease.js';
import { isBlockedByThisMachine, makeRoomOnThisMachine, oneStartAtATime } from './make-room.js';
import { loadPlacement, type LoadedGroup, type PlacementScene } from './placement-loader.js';

// A pass that outlives it is harmless: what it commits is conditional on rows nobody else has moved.
const LEASE_MS = 15_000;

type Placed = Extract<Verdict, { kind: 'placed' }>;

/** A job or an instance moved since the pass looked: this group waits for the next pass. */
class SeatTakenError extends Error {}

/** Gives submitted jobs their instances, for all projects at once. One server at a time does it. */
@Injectable()
export class PlacementPass {
  constructor(
    private readonly db: Database,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(OffersService) private readonly offers: OffersService,
    @Inject(DefaultFleetMaker) private readonly defaultFleets: DefaultFleetMaker,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** Returns false when another server does it. */
  async run(): Promise<boolean> {
    if (!(await this.db.read(hasSubmittedJobs))) return true;
    if ((await takeLease(this.db, 'placement', this.me.holder, LEASE_MS)) === null) return false;
    try {
      await this.place();
    } finally {
      await releaseLease(this.db, 'placement', this.me.holder);
    }
    return true;
  }

  private async place(): Promise<void> {
    const scene = await this.look();
    if (scene.groups.length === 0) return;
    const first = this.decide(scene, scene.groups.map((loaded) => loaded.group)); // prettier-ignore
    await this.commitAll(scene, first);
    const waiting = first.filter((verdict) => verdict.kind === 'needs-offers').map((verdict) => verdict.group);
    if (waiting.length === 0) return;
    const asked = await Promise.all(waiting.map((group) => this.withOffers(scene, group)));
    const after = await this.db.read(loadPlacement);
    const verdicts = oneStartAtATime(this.decide(after, asked), after.instanceRecords.values());
    const final = (await this.db.write((tx) => makeRoomOnThisMachine(tx, this.wake, verdicts)))
      ? verdicts.filter((verdict) => !isBlockedByThisMachine(verdict))
      : verdicts;
    await this.commitAll(after, final);
  }

  /** A default fleet that somebody deleted since its run was submitted is made again. */
  private async look(): Promise<PlacementScene> {
    const scene = await this.db.read(loadPlacement);
    const lacking = scene.groups.filter((loaded) => loaded.lacksDefaultFleet);
    if (lacking.length === 0) return scene;
    await this.db.write(async (tx) => {
      for (const { run } of lacking) {
        await this.defaultFleets.makeIfNeeded(tx, run.projectId, effectiveProfile(run.spec));
      }
    });
    const again = await this.db.read(loadPlacement);
    // The rest waits until the old fleet is gone, which brings another pass.
    return { ...again, groups: again.groups.filter((loaded) => !loaded.lacksDefaultFleet) };
  }

  private decide(scene: PlacementScene, groups: readonly PlacementGroup[]): Verdict[] {
    return placeGroups({ groups, instances: scene.instances, fleets: scene.fleets });
  }

  private async withOffers(scene: PlacementScene, group: PlacementGroup): Promise<PlacementGroup> {
    const projectId = findGroup(scene, group)?.run.projectId ?? '';
    const candidates = await Promise.all(
      group.candidates.map(async (candidate): Promise<PlacementCandidate> => {
        if (!candidate.fits) return candidate;
        const found = await this.offers.find(projectId, candidate);
        return { ...candidate, offers: found.offers, offersNote: whyNoOffers(found) };
      }),
    );
    return { ...group, candidates };
  }

  private async commitAll(scene: PlacementScene, verdicts: readonly Verdict[]): Promise<void> {
    for (const verdict of verdicts) {
      const loaded = findGroup(scene, verdict.group);
      if (loaded === null || verdict.kind === 'needs-offers') continue;
      try {
        await this.db.write((tx) =>
          verdict.kind === 'placed' ? this.seat(tx, scene, loaded, verdict) : this.refuse(tx, loaded, verdict.message),
        );
      } catch (error) {
        if (!(error instanceof SeatTakenError)) throw error;
      }
    }
  }

  /** A gang commits as one: every seat, or none. */
  private async seat(tx: WriteTx, scene: PlacementScene, loaded: LoadedGroup, verdict: Placed): Promise<void> {
    for (const seat of verdict.seats) {
      if (seat.kind === 'reuse') await this.reuse(tx, scene, loaded, seat);
      else await this.create(tx, scene, loaded, verdict.fleetId, seat);
    }
    await tx.execute('UPDATE runs SET fleet_id = ?, rev = rev + 1 WHERE id = ? AND fleet_id IS NULL', [
      verdict.fleetId,
      loaded.run.id,
    ]);
    await this.wake.rows(tx, 'jobs', verdict.group.jobIds);
    await this.wake.rows(tx, 'runs', [loaded.run.id]);
  }

  private async reuse(
    tx: WriteTx,
    scene: PlacementScene,
    loaded: LoadedGroup,
    seat: Extract<Seat, { kind: 'reuse' }>,
  ): Promise<void> {
    const instance = scene.instanceRecords.get(seat.instanceId);
    const now = await tx.now();
    const taken = await tx.execute(
      `UPDATE instances SET busy_blocks = busy_blocks + ?, status = 'busy', rev = rev + 1,
         status_changed_at = CASE WHEN status = 'busy' THEN status_changed_at ELSE CAST(? AS bigint) END, idle_since = NULL
       WHERE id = ? AND status IN ('idle', 'busy') AND unreachable_since IS NULL AND unwanted IS NULL
         AND busy_blocks + ? <= total_blocks`,
      [seat.blocks, now, seat.instanceId, seat.blocks],
    );
    if (taken !== 1) throw new SeatTakenError();
    await this.assign(tx, loaded, seat, { id: seat.instanceId, name: instance?.name ?? '' }, seat.blocks);
    await this.wake.rows(tx, 'instances', [seat.instanceId]);
  }

  private async create(
    tx: WriteTx,
    scene: PlacementScene,
    loaded: LoadedGroup,
    fleetId: string,
    seat: Extract<Seat, { kind: 'create' }>,
  ): Promise<void> {
    const fleet = scene.fleetRecords.get(fleetId);
    const ask = loaded.asks.get(fleetId);
    if (fleet === undefined || ask === undefined) throw new SeatTakenError();
    // The fleet's row is locked, so that two replicas cannot both take its last node or number.
    const isThere = await tx.execute(`UPDATE fleets SET rev = rev + 1 WHERE id = ? AND status = 'active'`, [fleetId]);
    if (isThere !== 1 || !(await hasRoom(tx, fleet))) throw new SeatTakenError();
    const isGang = loaded.jobs.length > 1;
    const instance = await insertInstance(tx, this.world, fleet, {
      requirements: ask.requirements,
      // The nodes of a gang must be near each other: all take the backend and region of the same offer.
      profile: isGang
        ? { ...ask.profile, backends: [toWireBackend(seat.offer.backend)], regions: [seat.offer.region] }
        : ask.profile,
      provisioningJobId: seat.jobId,
      backend: seat.offer.backend,
      busyBlocks: 1,
      idleSeconds: ask.profile.idle_duration ?? DEFAULT_RUN_IDLE_SECONDS,
    });
    await this.assign(tx, loaded, seat, instance, 1);
    this.wake.topic(tx, 'instances');
  }

  private async assign(
    tx: WriteTx,
    loaded: LoadedGroup,
    seat: Seat,
    instance: { readonly id: string; readonly name: string },
    blocks: number,
  ): Promise<void> {
    const job = loaded.jobs.find((each) => each.id === seat.jobId);
    if (job === undefined) throw new SeatTakenError();
    const isWhole = (seat.offer.blocks ?? 1) === (seat.offer.total_blocks ?? 1);
    const runtime = { ...job.runtimeRecord, offer: seat.offer, networkMode: isWhole ? 'host' : 'bridge' };
    const taken = await tx.execute(
      `UPDATE jobs SET instance_id = ?, used_instance_id = ?, blocks = ?, runtime_data = ?, status_changed_at = ?, rev = rev + 1
       WHERE id = ? AND status = 'submitted' AND instance_id IS NULL`,
      [instance.id, instance.id, blocks, writeJson(runtime), await tx.now(), job.id],
    );
    if (taken !== 1) throw new SeatTakenError();
    const ids = { projectId: job.projectId };
    await this.events.record(tx, {
      message: `Job assigned to instance. Instance status: ${seat.kind === 'reuse' ? 'BUSY' : 'PENDING'}. Blocks: ${blocks}`,
      actorId: null,
      targets: [
        { type: 'job', id: job.id, name: job.spec.job_name, runId: job.runId, ...ids },
        { type: 'instance', id: instance.id, name: instance.name, ...ids },
      ],
    });
  }

  private async refuse(tx: WriteTx, loaded: LoadedGroup, message: string): Promise<void> {
    const now = await tx.now();
    for (const job of loaded.jobs) {
      await tx.execute(
        `UPDATE jobs SET status = 'terminating', status_changed_at = ?, termination_reason = 'failed_to_start_due_to_no_capacity',
           termination_message = ?, stop_mode = 'kill', stop_requested_at = ?, rev = rev + 1
         WHERE id = ? AND status = 'submitted' AND instance_id IS NULL`,
        [now, message, now, job.id],
      );
      await this.events.record(tx, {
        message: `Job status changed SUBMITTED -> TERMINATING (no capacity: ${message})`,
        actorId: null,
        targets: [{ type: 'job', id: job.id, name: job.spec.job_name, projectId: job.projectId, runId: job.runId }],
      });
    }
    await this.wake.rows(tx, 'jobs', loaded.jobs.map((job) => job.id)); // prettier-ignore
    await this.wake.rows(tx, 'runs', [loaded.run.id]);
  }
}

async function hasSubmittedJobs(tx: ReadTx): Promise<boolean> {
  const rows = await tx.query(`SELECT id FROM jobs WHERE status = 'submitted' AND instance_id IS NULL LIMIT 1`);
  return rows.length > 0;
}

async function hasRoom(tx: WriteTx, fleet: FleetRecord): Promise<boolean> {
  const max = nodesOf(fleet.spec)?.max ?? null;
  if (max === null) return true;
  const [row] = await tx.query<{ n: number }>(
    `SELECT COUNT(*) AS n FROM instances WHERE fleet_id = ? AND status NOT IN ('terminating', 'terminated')`,
    [fleet.id],
  );
  return Number(row?.n ?? 0) < max;
}

function findGroup(scene: PlacementScene, group: PlacementGroup): LoadedGroup | null {
  return scene.groups.find((loaded) => loaded.group.jobIds[0] === group.jobIds[0]) ?? null;
}
