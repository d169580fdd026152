import { Database, silenceLogs, SqliteConnection } from '@dstack/server/parts';
import { drawClouds, mayComeVeryLate } from './clouds/draw-clouds.js';
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
import { SimulatedDatabase } from './servers/simulated-database.js';
import { DatabaseLooks } from './servers/database-looks.js';
import { DrawnFate } from './servers/drawn-fate.js';
import { Rest } from './servers/rest.js';
import type { SimulationOptions, SimulationResult } from './simulation-options.js';
import { Story } from './story.js';
import type { Surroundings } from './surroundings.js';
import { VirtualTime } from './time/virtual-time.js';
import { WallClock } from './time/wall-clock.js';
import { planEverybody } from './users/plan-everybody.js';
import { seedProjects } from './users/seed-projects.js';

const START = Date.UTC(2026, 0, 1);
const LIMIT_MS = 6 * 3_600_000;

/** One whole story: users, servers that crash and come back, clouds, hosts, agents. The same seed tells the same one. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  silenceLogs();
  const connection = SqliteConnection.inMemory(await emptyDatabase());
  try {
    return await tell(connection, options);
  } finally {
    connection.close();
  }
}

async function tell(connection: SqliteConnection, options: SimulationOptions): Promise<SimulationResult> {
  const random = new RandomSource(options.seed);
  const faults = options.faults ?? (options.creates === undefined ? FAULTS : CREATE_FAULTS);
  const time = new VirtualTime(START);
  const activity: Activity = { open: 0, steps: 0, commits: 0 };
  const looks = new DatabaseLooks(connection);
  const fate = new DrawnFate(random, faults, connection, options.crashAt);
  const rest = new Rest(time, activity);
  const gatewayCount = options.gateways ?? 0;
  const replicaCount = drawReplicas(random, faults);
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
    (jobId, stream) => looks.durableEnd(jobId, stream),
  );
  const network = new Network(time, random, faults, story);
  const isVolumeAt = (volumeId: string, machineId: string): boolean =>
    clouds.some(({ disks }) => disks.isAt(volumeId, machineId));
  // Stories without gateways are told as before there were any.
  const addressOf = gatewayCount === 0 ? nearAddress : farAddress;
  const around: Surroundings = { time, random, faults, story, network, watch: jobs, addressOf, isVolumeAt };
  const installation = random.uuid();
  const clouds = drawClouds(options, around, installation);
  const strays = new StraysAreEnded();
  const hosts = new SimulatedHosts((instanceId) => looks.hostOf(instanceId), around);
  // From a stream of their own: the stories without them are told as before.
  const publishing = new RandomSource(options.seed + 5_000_005);
  const gateways = gatewayCount === 0 ? null : new SimulatedGateways(
    {
      of: (replicaId) => looks.placeOfGateway(replicaId),
      isThere: (place) => clouds.every(({ machines }) => machines.all.get(place)?.isAlive ?? true),
    },
    { ...around, random: publishing },
  ); // prettier-ignore
  const watched: Watched = new Watched(connection, log, story, {
    machines: () => clouds.flatMap((cloud) => cloud.machines.living),
    disks: () => clouds.flatMap(({ disks }) => disks.living),
    inhabitedHosts: () => hosts.inhabited,
    unfinishedOnHosts: () =>
      [...clouds.flatMap((cloud) => cloud.machines.living.map(({ agent }) => agent)), ...hosts.everyAgent].flatMap(
        (agent) => agent.unfinishedJobIds,
      ),
    version: () => clouds.reduce((sum, cloud) => sum + cloud.machines.version, 0),
  }, [jobs, mayComeVeryLate(options) ? strays : machinesHaveRows, new GatewaysServeWhatRuns(() => gateways?.living ?? [])]); // prettier-ignore
  const fence = new LeasesFence(log, story, replicaCount > 1);
  const wakeUps = new WakeUpsAreKept(log, story);
  const clocks = Array.from({ length: replicaCount }, () =>
    replicaCount === 1 ? databaseClock : new WallClock(time, random.between(-2_000, 2_000)),
  );
  // Of a stream of their own: the stories without them are told as before.
  const chance = new RandomSource(options.seed + 2_000_003);
  const probes = (options.services ?? 0) === 0 && gatewayCount === 0 ? null : new SimulatedProbes(chance);
  const logRoom = new LogRoom(time, new RandomSource(options.seed + 7_000_011), faults, story);
  const outside = { database, clouds, hosts, gateways, installation, activity, fence, wakeUps, probes, logRoom };
  const replicas = new Replicas(clocks, { time, random, faults, story, fate, outside });
  replicas.startAll();
  const users = planEverybody(
    options,
    clouds,
    scopes,
    { front: () => replicas.front(), time, random, faults, story },
    { services: chance, gateways: publishing },
  );
  if (random.chance(faults.slowServers)) planLeaseExpiry({ time, random, faults, story, database });
  let seenChanges = -1;
  let isOver = false;
  while (!isOver && story.violations.length === 0) {
    if (!(await rest.come())) {
      story.violate('the servers go round in circles: their transactions bring the clock no further');
      break;
    }
    watched.look(database.changes !== seenChanges, databaseClock.now(), () => replicas.calmMs);
    seenChanges = database.changes;
    isOver = users.every((user) => user.pending === 0) && replicas.areAllAwake && watched.isOver();
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
  rest.forgive();
  await rest.come();
  return {
    seed: options.seed,
    violations: story.violations,
    story: story.lines,
    simulatedMs: time.now() - START,
    replicas: replicaCount,
    crashes: fate.crashes,
    freezes: fate.freezes,
    crashPoints: fate.crashPoints,
    runs: watched.mirror.runs.size,
    machines: clouds.reduce((sum, cloud) => sum + cloud.machines.all.size - 1, 0),
    commits: activity.commits,
    creates: {
      asked: clouds.reduce((sum, { creates }) => sum + creates.asked, 0),
      faulted: clouds.reduce((sum, { creates }) => sum + creates.faulted, 0),
      strays: strays.count,
    },
  };
}

function drawReplicas(random: RandomSource, faults: Faults): number {
  if (!random.chance(faults.replicas)) return 1;
  return random.chance(faults.replicas) ? 3 : 2;
}
