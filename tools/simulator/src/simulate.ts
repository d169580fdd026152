import { setImmediate as turn } from 'node:timers/promises';
import type { Idempotency } from '@dstack/backend-base';
import { Database, silenceLogs, SqliteConnection } from '@dstack/server/parts';
import { SimulatedCloud } from './clouds/simulated-cloud.js';
import { CREATE_FAULTS, FAULTS, type Faults } from './faults.js';
import { farAddress, nearAddress } from './hosts/agent-address.js';
import { SimulatedProbes } from './hosts/simulated-probes.js';
import { SimulatedHosts } from './hosts/simulated-hosts.js';
import { SimulatedGateways } from './gateways/simulated-gateways.js';
import { ChangeLog } from './invariants/change-log.js';
import { GatewaysServeWhatRuns } from './invariants/gateways-serve-what-runs.js';
import { JobsRunOnce } from './invariants/jobs-run-once.js';
import { machinesHaveRows } from './invariants/machines-have-rows.js';
import { StraysAreEnded } from './invariants/strays-are-ended.js';
import { LeasesFence } from './invariants/leases-fence.js';
import { WakeUpsAreKept } from './invariants/wake-ups-are-kept.js';
import { Watched } from './invariants/watched.js';
import { Network } from './network.js';
import { RandomSource } from './random-source.js';
import { planLeaseExpiry } from './servers/plan-lease-expiry.js';
import { emptyDatabase } from './servers/empty-database.js';
import { LogRoom } from './servers/log-room.js';
import type { Activity } from './servers/mortal-engine.js';
import { Replicas } from './servers/replicas.js';
import type { Fate } from './servers/server-epoch.js';
import { SimulatedDatabase } from './servers/simulated-database.js';
import { Story } from './story.js';
import type { Surroundings } from './surroundings.js';
import { VirtualTime } from './time/virtual-time.js';
import { WallClock } from './time/wall-clock.js';
import { planCreates } from './users/plan-creates.js';
import { planGateways } from './users/gateways.js';
import { planServices } from './users/services.js';
import { planUsers } from './users/plan-users.js';
import { seedProjects } from './users/seed-projects.js';
import { planVolumes } from './users/volumes.js';
import { SimulatedUser } from './users/simulated-user.js';

const START = Date.UTC(2026, 0, 1);
const DEFAULT_RUNS = 4;
const KINDS: readonly Idempotency[] = [{ kind: 'token' }, { kind: 'name' }, { kind: 'lookup', listLagMs: 20_000 }];
const VERY_LATE_MS = [5_000, 900_000] as const;
/** Clouds that sell machines which are made by one call. */
const GROUPS = 0.4;
const LIMIT_MS = 6 * 3_600_000;
/** Beginnings and ends of transactions within one second: who needs more goes round in circles. */
const MOST_STEPS_A_SECOND = 10_000;

/** What a cloud makes of a create call that is sent twice. */
export type IdempotencyKind = Idempotency['kind'];
export const IDEMPOTENCY_KINDS: readonly IdempotencyKind[] = ['token', 'name', 'lookup'];

export interface SimulationOptions {
  readonly seed: number;
  /** Tasks per project. */
  readonly runs?: number;
  /** Services per project. */
  readonly services?: number;
  /** Gateways per project, each with services behind it. */
  readonly gateways?: number;
  /** Network volumes per project. */
  readonly volumes?: number;
  readonly faults?: Faults;
  /** Instead of the usual users: those who want many machines of clouds of one kind, whose create calls have trouble most of the time. */
  readonly creates?: IdempotencyKind;
  /** Instead of crashes at random: one, at the n-th point that leaves the world in another state than the point before it; 0: none. */
  readonly crashAt?: number;
  /** Whether the story is kept. */
  readonly trace?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Empty unless it was asked for. */
  readonly story: readonly string[];
  readonly simulatedMs: number;
  readonly replicas: number;
  readonly crashes: number;
  readonly freezes: number;
  /** How many points `crashAt` may name; counted only when it is given. */
  readonly crashPoints: number;
  readonly runs: number;
  readonly machines: number;
  readonly commits: number;
  readonly creates: CreatesTold;
}

/** What became of the create calls of a story. */
export interface CreatesTold {
  readonly asked: number;
  readonly faulted: number;
  /** Machines that for a while nobody was behind, or that were the second one of their instance. */
  readonly strays: number;
}

/** One whole story: users, servers that crash and come back, clouds, hosts, agents. The same seed tells the same one. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  silenceLogs();
  const connection = SqliteConnection.inMemory(await emptyDatabase());
  try {
    return await new Simulation(connection, options).run();
  } finally {
    connection.close();
  }
}

class Simulation implements Fate {
  private readonly random: RandomSource;
  private readonly time = new VirtualTime(START);
  private readonly activity: Activity = { open: 0, steps: 0, commits: 0 };
  private readonly faults: Faults;
  private crashes = 0;
  private freezes = 0;
  private crashPoints = 0;
  private crashVersion = -1;
  /** The second that the clock is in, and where it began. */
  private second = { number: 0, steps: 0 };

  constructor(
    private readonly connection: SqliteConnection,
    private readonly options: SimulationOptions,
  ) {
    this.random = new RandomSource(options.seed);
    this.faults = options.faults ?? (options.creates === undefined ? FAULTS : CREATE_FAULTS);
  }

  async run(): Promise<SimulationResult> {
    const { random, time, faults, connection, activity, options } = this;
    const gatewayCount = options.gateways ?? 0;
    const replicaCount = this.drawReplicas();
    const databaseClock = new WallClock(time);
    const database = new SimulatedDatabase(connection, { clock: databaseClock, isShared: replicaCount > 1 });
    const scopes = await seedProjects(
      new Database(database.engine({ afterRead: () => undefined, beforeCommit: () => undefined })),
      random,
      ['red', 'blue'],
    );

    const story: Story = new Story(
      () => time.now(),
      START,
      options.trace === true,
      (id) => watched.mirror.nameOf(id),
    );
    const log = new ChangeLog(connection);
    const jobs = new JobsRunOnce(
      () => story,
      (jobId, stream) => this.durableEnd(jobId, stream),
    );
    const network = new Network(time, random, faults, story);
    const isVolumeAt = (volumeId: string, machineId: string): boolean =>
      clouds.some(({ disks }) => disks.isAt(volumeId, machineId));
    // Stories without gateways are told as before there were any.
    const addressOf = gatewayCount === 0 ? nearAddress : farAddress;
    const around: Surroundings = { time, random, faults, story, network, watch: jobs, addressOf, isVolumeAt };
    const installation = random.uuid();
    // From a stream of its own: the stories without groups are told as before.
    const together = new RandomSource(options.seed + 4_000_004);
    const clouds: SimulatedCloud[] = (random.chance(0.5) ? (['aws'] as const) : (['aws', 'gcp'] as const)).map(
      (type) => new SimulatedCloud(type, 'hosts', this.drawIdempotency(), around, installation, this.createLateMs, together.chance(GROUPS)),
    ); // prettier-ignore
    const strays = new StraysAreEnded();
    // From a stream of its own: the stories without one are told as before.
    if (new RandomSource(options.seed + 1_000_003).chance(0.4))
      clouds.push(
        new SimulatedCloud(
          'runpod',
          'containers',
          this.drawIdempotency(),
          around,
          installation,
          this.createLateMs,
          together.chance(GROUPS),
        ),
      );
    const hosts = new SimulatedHosts((instanceId) => this.hostOf(instanceId), around);
    // From a stream of their own: the stories without them are told as before.
    const publishing = new RandomSource(options.seed + 5_000_005);
    const gateways = gatewayCount === 0 ? null : new SimulatedGateways(
      {
        of: (replicaId) => this.placeOfGateway(replicaId),
        isThere: (place) => clouds.every(({ machines }) => machines.get(place)?.isAlive ?? true),
      },
      { ...around, random: publishing },
    ); // prettier-ignore
    const watched: Watched = new Watched(connection, log, story, {
      machines: () => clouds.flatMap((cloud) => cloud.living),
      disks: () => clouds.flatMap(({ disks }) => disks.living),
      inhabitedHosts: () => hosts.inhabited,
      unfinishedOnHosts: () =>
        [...clouds.flatMap((cloud) => cloud.living.map(({ agent }) => agent)), ...hosts.everyAgent].flatMap(
          (agent) => agent.unfinishedJobIds,
        ),
      version: () => clouds.reduce((sum, cloud) => sum + cloud.version, 0),
    }, [jobs, this.createLateMs === null ? machinesHaveRows : strays, new GatewaysServeWhatRuns(() => gateways?.living ?? [])]); // prettier-ignore
    const fence = new LeasesFence(log, story, replicaCount > 1);
    const wakeUps = new WakeUpsAreKept(log, story);
    const clocks = Array.from({ length: replicaCount }, () =>
      replicaCount === 1 ? databaseClock : new WallClock(time, random.between(-2_000, 2_000)),
    );
    // Of a stream of their own: the stories without them are told as before.
    const chance = new RandomSource(options.seed + 2_000_003);
    const services = options.services ?? 0;
    const probes = services === 0 && gatewayCount === 0 ? null : new SimulatedProbes(chance);
    const logRoom = new LogRoom(time, new RandomSource(options.seed + 7_000_011), faults, story);
    const outside = { database, clouds, hosts, gateways, installation, activity, fence, wakeUps, probes, logRoom };
    const replicas = new Replicas(clocks, { time, random, faults, story, fate: this, outside });
    const users = scopes.map(
      (scope) => new SimulatedUser({ scope, front: () => replicas.front(), time, random, faults, story }),
    );

    replicas.startAll();
    if (options.creates === undefined) planUsers(users, clouds, options.runs ?? DEFAULT_RUNS);
    else planCreates(users, clouds);
    const owners = services === 0 ? [] : scopes.map((scope) => new SimulatedUser({ scope, front: () => replicas.front(), time, random: chance, faults, story })); // prettier-ignore
    for (const owner of owners) planServices(owner, services);
    const keeping = new RandomSource(options.seed + 3_000_003);
    const keepers = scopes.map((scope) => new SimulatedUser({ scope, front: () => replicas.front(), time, random: keeping, faults, story })); // prettier-ignore
    for (const keeper of keepers) planVolumes(keeper, clouds, options.volumes ?? 0);
    const publishers = gatewayCount === 0 ? [] : scopes.map((scope) => new SimulatedUser({ scope, front: () => replicas.front(), time, random: publishing, faults, story })); // prettier-ignore
    for (const publisher of publishers) planGateways(publisher, clouds, gatewayCount);
    if (random.chance(faults.slowServers)) planLeaseExpiry({ time, random, faults, story, database });
    let seenChanges = -1;
    let isOver = false;
    while (!isOver && story.violations.length === 0) {
      if (!(await this.rest())) {
        story.violate('the servers go round in circles: their transactions bring the clock no further');
        break;
      }
      watched.look(database.changes !== seenChanges, databaseClock.now(), () => replicas.calmMs);
      seenChanges = database.changes;
      isOver =
        [...users, ...owners, ...keepers, ...publishers].every((user) => user.pending === 0) &&
        replicas.areAllAwake &&
        watched.isOver();
      if (isOver) break;
      if (time.now() - START > LIMIT_MS) {
        story.violate('the end is never reached');
        watched.atTheEnd(databaseClock.now());
        break;
      }
      if (!time.step()) story.violate('nothing is left to happen, and it is not over');
    }
    if (isOver) watched.atTheEnd(databaseClock.now());
    replicas.crashAll();
    this.second = { number: 0, steps: activity.steps };
    await this.rest();
    return {
      seed: options.seed,
      violations: story.violations,
      story: story.lines,
      simulatedMs: time.now() - START,
      replicas: replicaCount,
      crashes: this.crashes,
      freezes: this.freezes,
      crashPoints: this.crashPoints,
      runs: watched.mirror.runs.size,
      machines: clouds.reduce((sum, cloud) => sum + cloud.machines.size - 1, 0),
      commits: activity.commits,
      creates: {
        asked: clouds.reduce((sum, { creates }) => sum + creates.asked, 0),
        faulted: clouds.reduce((sum, { creates }) => sum + creates.faulted, 0),
        strays: strays.count,
      },
    };
  }

  isCrashDue(point: string): boolean {
    const { crashAt } = this.options;
    if (crashAt !== undefined) {
      if (!this.leavesTheWorldAnew(point)) return false;
      this.crashPoints += 1;
      this.crashes += Number(this.crashPoints === crashAt);
      return this.crashPoints === crashAt;
    }
    if (this.crashes >= this.faults.maxCrashes || !this.random.chance(this.faults.crash)) return false;
    this.crashes += 1;
    return true;
  }

  freezeMs(): number | null {
    if (this.freezes >= this.faults.maxFreezes || !this.random.chance(this.faults.freeze)) return null;
    this.freezes += 1;
    return this.random.between(1_000, 90_000);
  }

  private drawReplicas(): number {
    const { random, faults } = this;
    if (!random.chance(faults.replicas)) return 1;
    return random.chance(faults.replicas) ? 3 : 2;
  }

  private drawIdempotency(): Idempotency {
    const drawn = this.random.pick(KINDS);
    return KINDS.find(({ kind }) => kind === this.options.creates) ?? drawn;
  }

  /** Calls that nobody can repeat may come later than anybody waits for them. */
  private get createLateMs(): readonly [number, number] | null {
    return this.options.creates === 'lookup' ? VERY_LATE_MS : null;
  }

  /** Whoever dies while reading, or before asking or committing, leaves what there was after the last write or effect. */
  private leavesTheWorldAnew(point: string): boolean {
    if (point.startsWith('between ')) return true;
    if (point !== 'after a write') return false;
    const version = this.query<{ n: number }>('SELECT total_changes() AS n')[0]?.n ?? 0;
    const isNew = version !== this.crashVersion;
    this.crashVersion = version;
    return isNew;
  }

  private durableEnd(jobId: string, stream: string): number {
    const [row] = this.query<{ end_offset: number }>(
      'SELECT end_offset FROM log_streams WHERE job_id = ? AND stream = ?',
      jobId,
      stream,
    );
    return row?.end_offset ?? 0;
  }

  /** Of an instance that is a host somebody gave. */
  private hostOf(instanceId: string): string {
    const [row] = this.query<{ host_name: string | null }>('SELECT host_name FROM instances WHERE id = ?', instanceId);
    return row?.host_name ?? '';
  }

  /** The machine of a gateway's replica, or its host. */
  private placeOfGateway(replicaId: string): string | null {
    const [row] = this.query<{ place: string | null }>(
      `SELECT COALESCE(host_name, json_extract(machine, '$.ref.machineId')) AS place FROM gateway_replicas WHERE id = ?`,
      replicaId,
    );
    return row?.place ?? null;
  }

  private query<Row extends object>(sql: string, ...params: unknown[]): Row[] {
    return this.connection.prepare(sql).all(...params) as Row[]; // as the migrations shape them
  }

  /** Until no transaction is open and a whole turn of the event loop brought nothing new; false when that takes for ever. */
  private async rest(): Promise<boolean> {
    const number = Math.floor(this.time.now() / 1000);
    if (number !== this.second.number) this.second = { number, steps: this.activity.steps };
    let steps = -1;
    while (this.activity.open > 0 || steps !== this.activity.steps) {
      steps = this.activity.steps;
      if (steps - this.second.steps > MOST_STEPS_A_SECOND) return false;
      await turn();
    }
    return true;
  }
}
