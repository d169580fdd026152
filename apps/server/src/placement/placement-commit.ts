import { Inject, Injectable } from '@nestjs/common';
import {
  DEFAULT_RUN_IDLE_SECONDS,
  type Explanation,
  explanationLines,
  isCluster,
  isSame,
  networkModeOf,
  networkMounts,
  type PendingBecause,
  type RunAsk,
  type Seat,
  toWireBackend,
  type Verdict,
  volumesAt,
  type Wire,
} from '@dstack/core';
import { EventRecorder } from '../events/event-recorder.js';
import { insertInstance, type NewInstance } from '../fleets/create-instances.js';
import { type FleetRecord, nodesOf } from '../fleets/fleet-record.js';
import { wakeIdleMachines } from '../fleets/fleet-surplus.js';
import { hasRoom, holdFleet } from '../fleets/hold-fleet.js';
import { holdImportedFleet } from '../fleets/imported-fleets.js';
import type { JobRecord } from '../jobs/job-record.js';
import { anyOf } from '../persistence/any-of.js';
import { lockInOrder } from '../persistence/in-order.js';
import type { WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import type { RunRecord } from '../runs/run-record.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { reserveVolume } from '../volumes/job-volumes.js';
import { WORLD, type World } from '../world/world.js';
import type { LoadedGroup } from './loaded-group.js';
import type { PlacementScene } from './placement-loader.js';

type Placed = Extract<Verdict, { kind: 'placed' }>;
type Refused = Extract<Verdict, { kind: 'no-capacity' }>;

const LINES_IN_EVENT = 5;

/** A job or an instance moved since the pass looked: this group waits for the next pass. */
export class SeatTakenError extends Error {}

/** Writes what placement decided, a group at a time. Everything is conditional on rows that nobody else has moved. */
@Injectable()
export class PlacementCommit {
  private readonly held = new WeakMap<WriteTx, Set<string>>();

  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'jobNetworks'>,
  ) {}

  /** Of several groups that are committed together, before anything else: others lock jobs in the same order. */
  async holdJobs(tx: WriteTx, groups: readonly LoadedGroup[]): Promise<void> {
    if (tx.dialect === 'sqlite' || groups.length < 2) return;
    const these = anyOf(tx.dialect, 'id', groups.flatMap(({ jobs }) => jobs.map(({ id }) => id))); // prettier-ignore
    await tx.query(`SELECT id FROM jobs WHERE ${these.sql}${lockInOrder(tx.dialect)}`, these.params);
  }

  /** A gang commits as one: every seat, or none. @throws {SeatTakenError} */
  async seat(tx: WriteTx, scene: PlacementScene, loaded: LoadedGroup, verdict: Placed): Promise<void> {
    const seats = inOrderOfNodes(verdict.seats, loaded);
    let groupId: string | null = null;
    for (const [rank, seat] of seats.entries()) {
      if (seat.kind === 'reuse') {
        await this.reuse(tx, scene, loaded, seat);
        continue;
      }
      const isTogether = seat.offer.group_nodes !== undefined;
      const group = isTogether ? { id: groupId, rank, size: seats.length } : null;
      const instanceId = await this.create(tx, scene, loaded, { fleetId: verdict.fleetId, seat, group });
      if (isTogether) groupId ??= instanceId;
    }
    await tx.execute(
      `UPDATE runs SET pending_because = NULL, fleet_id = COALESCE(fleet_id, ?), rev = rev + CASE WHEN fleet_id IS NULL THEN 1 ELSE 0 END
       WHERE id = ?`,
      [verdict.fleetId, loaded.run.id],
    );
    // A machine that is yet to be made wakes its job when there is something to do; the run hears of it from the job.
    const isThere = new Set(verdict.seats.filter((seat) => seat.kind === 'reuse').map((seat) => seat.jobId));
    await this.wake.rows(tx, 'jobs', loaded.jobs.map((job) => job.id).filter((id) => isThere.has(id))); // prettier-ignore
  }

  async refuse(
    tx: WriteTx,
    loaded: LoadedGroup,
    { message, explanation }: Pick<Refused, 'message' | 'explanation'>,
  ): Promise<void> {
    const now = await tx.now();
    await this.tell(tx, loaded.run, explanation);
    await this.keep(tx, loaded.run, explanation);
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
        targets: [jobTarget(job)],
      });
    }
    await this.wake.rows(tx, 'jobs', loaded.jobs.map((job) => job.id)); // prettier-ignore
    await this.wake.rows(tx, 'runs', [loaded.run.id]);
  }

  /** What a run waits for that is not refused: it will be placed as soon as that has happened. */
  async explain(tx: WriteTx, run: RunRecord, explanation: Explanation): Promise<void> {
    if (isSame(run.pendingBecause?.explanation, explanation)) return;
    await this.keep(tx, run, explanation);
  }

  private async keep(tx: WriteTx, run: RunRecord, explanation: Explanation): Promise<void> {
    const because: PendingBecause = { refusedAt: await tx.now(), explanation };
    await tx.execute('UPDATE runs SET pending_because = ? WHERE id = ?', [writeJson(because), run.id]);
  }

  /** Only news are told: a run may be refused for the same reason for hours. */
  private async tell(tx: WriteTx, run: RunRecord, explanation: Explanation): Promise<void> {
    if (isSame(run.pendingBecause?.explanation, explanation)) return;
    await this.events.record(tx, {
      message: `No capacity for the run: ${explanationLines(explanation, LINES_IN_EVENT).join('; ')}`,
      actorId: null,
      targets: [{ type: 'run', id: run.id, name: run.name, projectId: run.projectId, runId: run.id }],
    });
  }

  private async reuse(
    tx: WriteTx,
    scene: PlacementScene,
    loaded: LoadedGroup,
    seat: Extract<Seat, { kind: 'reuse' }>,
  ): Promise<void> {
    const instance = scene.instanceRecords.get(seat.instanceId);
    const { projectId } = loaded.run;
    const isShared = instance !== undefined && instance.projectId !== projectId;
    if (isShared && !(await holdImportedFleet(tx, projectId, instance.fleetId ?? ''))) throw new SeatTakenError();
    const now = await tx.now();
    const taken = await tx.execute(
      `UPDATE instances SET busy_blocks = busy_blocks + ?, status = 'busy', rev = rev + 1,
         status_changed_at = CASE WHEN status = 'busy' THEN status_changed_at ELSE CAST(? AS bigint) END, idle_since = NULL
       WHERE id = ? AND status IN ('idle', 'busy') AND unreachable_since IS NULL AND unwanted IS NULL
         AND busy_blocks + ? <= total_blocks`,
      [seat.blocks, now, seat.instanceId, seat.blocks],
    );
    if (taken !== 1) throw new SeatTakenError();
    const owner = instance?.projectId ?? projectId;
    const seated = {
      id: seat.instanceId,
      name: instance?.name ?? '',
      fleetId: instance?.fleetId ?? '',
      projectId: owner,
    };
    await this.assign(tx, loaded, seat, seated, seat.blocks);
    await this.wake.rows(tx, 'instances', [seat.instanceId]);
  }

  private async create(
    tx: WriteTx,
    scene: PlacementScene,
    loaded: LoadedGroup,
    { fleetId, seat, group }: NewSeat,
  ): Promise<string> {
    const fleet = scene.fleetRecords.get(fleetId);
    const ask = loaded.asks.get(fleetId)?.[seat.ask];
    if (fleet === undefined || ask === undefined) throw new SeatTakenError();
    if (!(await this.holdFleet(tx, fleet)) || !(await hasRoom(tx, fleet))) throw new SeatTakenError();
    const { backend, region } = seat.offer;
    const isBound = loaded.jobs.length > 1 || isCluster(fleet.spec.configuration);
    const instance = await insertInstance(tx, this.world, fleet, {
      requirements: ask.requirements,
      profile: isBound ? profileAt(ask, seat) : ask.profile,
      provisioningJobId: seat.jobId,
      place: { backend, region },
      busyBlocks: 1,
      idleSeconds: ask.profile.idle_duration ?? DEFAULT_RUN_IDLE_SECONDS,
      group,
    });
    await this.assign(tx, loaded, seat, { ...instance, fleetId, projectId: fleet.projectId }, 1);
    if ((nodesOf(fleet.spec)?.min ?? 0) > 0) await wakeIdleMachines(tx, this.wake, fleetId);
    this.wake.topic(tx, 'instances');
    return instance.id;
  }

  /** Once in a transaction: it is held until that ends. */
  private async holdFleet(tx: WriteTx, fleet: FleetRecord): Promise<boolean> {
    const held = this.held.get(tx) ?? new Set();
    this.held.set(tx, held);
    if (held.has(fleet.id)) return true;
    if (!(await holdFleet(tx, fleet))) return false;
    held.add(fleet.id);
    return true;
  }

  private async assign(
    tx: WriteTx,
    loaded: LoadedGroup,
    seat: Seat,
    instance: { readonly id: string; readonly name: string; readonly fleetId: string; readonly projectId: string },
    blocks: number,
  ): Promise<void> {
    const job = loaded.jobs.find((each) => each.id === seat.jobId);
    if (job === undefined) throw new SeatTakenError();
    const isWhole = (seat.offer.blocks ?? 1) === (seat.offer.total_blocks ?? 1);
    // All instances of the backend `local` are one machine: each replica needs a port of its own.
    const isBesideOthers = seat.offer.backend === 'local' && typeof job.spec.service_port === 'number';
    const nodes = job.spec.jobs_per_replica ?? 1;
    const networkMode = networkModeOf(this.settings.jobNetworks, { nodes, isWhole, isBesideOthers });
    const runtime = { ...job.runtimeRecord, offer: seat.offer, networkMode };
    const now = await tx.now();
    const taken = await tx.execute(
      `UPDATE jobs SET instance_id = ?, used_instance_id = ?, blocks = ?, runtime_data = ?, status_changed_at = ?, assigned_at = ?, rev = rev + 1
       WHERE id = ? AND status = 'submitted' AND instance_id IS NULL`,
      [instance.id, instance.id, blocks, writeJson(runtime), now, now, job.id],
    );
    if (taken !== 1) throw new SeatTakenError();
    await this.reserveVolumes(tx, loaded, job, { seat, instanceId: instance.id });
    await this.events.record(tx, {
      message: `Job assigned to instance. Instance status: ${seat.kind === 'reuse' ? 'BUSY' : 'PENDING'}. Blocks: ${blocks}`,
      actorId: null,
      targets: [jobTarget(job), { type: 'instance', ...instance }],
    });
  }

  /** Those of its mounts that are where the seat is. */
  private async reserveVolumes(
    tx: WriteTx,
    { volumesByName }: LoadedGroup,
    { id, spec }: JobRecord,
    { seat: { offer }, instanceId }: { readonly seat: Seat; readonly instanceId: string },
  ): Promise<void> {
    const mounts = networkMounts(spec.volumes);
    if (mounts.length === 0) return;
    const { backend, region, availability_zones: zones = null } = offer;
    const chosen = volumesAt(mounts, volumesByName, { backend, region, zones });
    if (chosen === null) throw new SeatTakenError();
    for (const { volume } of chosen)
      if (!(await reserveVolume(tx, volume, { jobId: id, instanceId }))) throw new SeatTakenError();
    await this.wake.rows(tx, 'volumes', chosen.map(({ volume }) => volume.id)); // prettier-ignore
  }
}

interface NewSeat {
  readonly fleetId: string;
  readonly seat: Extract<Seat, { kind: 'create' }>;
  readonly group: NewInstance['group'];
}

/** The rank of a machine in its group is the rank of its node. */
function inOrderOfNodes(seats: readonly Seat[], { jobs }: LoadedGroup): Seat[] {
  const numbers = new Map(jobs.map(({ id, jobNum }) => [id, jobNum]));
  return seats.toSorted((a, b) => (numbers.get(a.jobId) ?? 0) - (numbers.get(b.jobId) ?? 0));
}

/** The nodes of a gang, and the machines of a cluster, must be near each other: all take the backend and region of the same offer. */
function profileAt({ profile }: RunAsk, { offer: { backend, region } }: Seat): Wire.Profile {
  return { ...profile, backends: [toWireBackend(backend)], regions: [region] };
}

function jobTarget(job: JobRecord) {
  return { type: 'job' as const, id: job.id, name: job.spec.job_name, projectId: job.projectId, runId: job.runId };
}
