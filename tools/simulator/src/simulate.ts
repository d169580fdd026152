import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import {
  ALL_MIGRATIONS,
  buildWorkload,
  Database,
  type Engine,
  Keyring,
  migrate,
  openSqliteEngine,
  readSettings,
  silenceLogs,
  SqliteConnection,
} from '@dstack/server/parts';
import { FAULTS, type Faults } from './faults.js';
import { Invariants } from './invariants.js';
import { type Activity, mortalEngine } from './mortal-engine.js';
import { RandomSource } from './random-source.js';
import { type ProjectSeed, seedProjects } from './seed-projects.js';
import { ServerEpoch } from './server-epoch.js';
import { NoInputs, SimulatedAccounts, SimulatedConnector } from './simulated-accounts.js';
import { SimulatedCloud } from './simulated-cloud.js';
import { SimulatedHosts } from './simulated-hosts.js';
import { type Front, SimulatedUser } from './simulated-user.js';
import { Story } from './story.js';
import { VirtualTime } from './virtual-time.js';

const START = Date.UTC(2026, 0, 1);
export const DEFAULT_RUNS = 4;
const PROJECTS: readonly ProjectSeed[] = [
  { name: 'red', limited: true },
  { name: 'blue', limited: false },
];
const LIMIT_MS = 6 * 3_600_000;
const RESTART_MS = { min: 500, max: 30_000 };

export interface SimulationOptions {
  readonly seed: number;
  /** Tasks per project. */
  readonly runs?: number;
  readonly faults?: Faults;
  /** Instead of crashes at random: one, at the n-th point that leaves the world in another state than the point before it; 0: none. */
  readonly crashAt?: number;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly story: readonly string[];
  readonly simulatedMs: number;
  readonly crashes: number;
  /** How many points `crashAt` may name; counted only when it is given. */
  readonly crashPoints: number;
  readonly runs: number;
  readonly machines: number;
  readonly commits: number;
}

/** One whole story: users, servers that crash and come back, a cloud, agents. The same seed tells the same one. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  silenceLogs();
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'dstack-sim-'));
  try {
    return await new Simulation(directory, options).run();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a server finds when it starts, and what watches it. */
interface Outside {
  readonly cloud: SimulatedCloud;
  readonly hosts: SimulatedHosts;
  readonly installation: string;
  readonly invariants: Invariants;
}

class Simulation {
  private readonly random: RandomSource;
  private readonly time = new VirtualTime(START);
  private readonly story = new Story(() => this.time.now(), START);
  private readonly activity: Activity = { open: 0, steps: 0, commits: 0 };
  private readonly faults: Faults;
  private readonly path: string;
  private crashes = 0;
  private crashPoints = 0;
  private crashVersion = -1;
  private servers = 0;
  private front: Front | null = null;
  private servingSince = START;
  private engine: Engine | null = null;
  private starting: Promise<void> | null = null;

  constructor(
    directory: string,
    private readonly options: SimulationOptions,
  ) {
    this.path = join(directory, 'sqlite.db');
    this.random = new RandomSource(options.seed);
    this.faults = options.faults ?? FAULTS;
  }

  async run(): Promise<SimulationResult> {
    const { random, time, story, faults } = this;
    const runs = this.options.runs ?? DEFAULT_RUNS;
    copyFileSync(await emptyDatabase(), this.path);
    const engine = await openSqliteEngine({ path: this.path, clock: { now: () => time.now() }, entities: [] });
    const scopes = await seedProjects(new Database(engine), random, PROJECTS);
    await engine.close();
    const watching = SqliteConnection.open(this.path);
    const invariants = new Invariants(watching, story);
    const installation = random.uuid();
    const idempotency = random.pick([
      { kind: 'token' },
      { kind: 'name' },
      { kind: 'lookup', listLagMs: 20_000 },
    ] as const);
    const cloud = new SimulatedCloud(idempotency, time, random, faults, story, installation, invariants);
    const nameOf = (instanceId: string): string => invariants.hostOf(instanceId);
    const hosts = new SimulatedHosts(nameOf, time, random, faults, story, invariants);
    const outside = { cloud, hosts, installation, invariants };
    const users = scopes.map((scope) => new SimulatedUser(scope, () => this.front, time, random, story));
    for (const user of users) {
      user.plan(runs, 50_000 * runs);
      if (random.chance(0.5)) user.planHosts(50_000 * runs);
    }

    await this.startServer(outside);
    if (Number.isFinite(faults.leaseExpiryMs)) this.planLeaseExpiry(invariants);
    let seenCommits = -1;
    let seenVersion = -1;
    let isQuiet = false;
    let isOver = false;
    while (!isOver && story.violations.length === 0) {
      await this.rest();
      if (this.front?.epoch.isDead === true) await this.bury(outside);
      const version = this.activity.commits === seenCommits ? seenVersion : invariants.dataVersion();
      seenCommits = this.activity.commits;
      if (version !== seenVersion) {
        seenVersion = version;
        invariants.afterCommit(cloud, time.now(), this.servingSince);
        isQuiet = invariants.isOver(cloud);
      }
      // The last word of a user need not change anything.
      isOver = isQuiet && users.every((user) => user.pending === 0);
      if (isOver) break;
      if (time.now() - START > LIMIT_MS) {
        invariants.atTheEnd(cloud, hosts);
        story.violate('the end is never reached');
        break;
      }
      if (!time.step()) story.violate('nothing is left to happen, and it is not over');
      await this.starting;
    }
    if (isOver) invariants.atTheEnd(cloud, hosts);
    const result = {
      seed: this.options.seed,
      violations: story.violations,
      story: story.lines,
      simulatedMs: time.now() - START,
      crashes: this.crashes,
      crashPoints: this.crashPoints,
      runs: invariants.count('SELECT COUNT(*) AS n FROM runs'),
      machines: cloud.machines.size - 1,
      commits: this.activity.commits,
    };
    this.front?.epoch.crash('the end of the story');
    await this.rest();
    await this.engine?.close();
    watching.close();
    return result;
  }

  private async startServer({ cloud, hosts, installation, invariants }: Outside): Promise<void> {
    this.servers += 1;
    const crashes = { isDue: (point: string) => this.isCrashDue(point, invariants) };
    const epoch = new ServerEpoch(this.servers, this.time, this.random, crashes, (text) => this.story.tell(text));
    this.engine = await openSqliteEngine({ path: this.path, clock: epoch.world.clock, entities: [] });
    const { workload, runs, fleets } = buildWorkload({
      db: new Database(mortalEngine(this.engine, epoch, this.activity)),
      world: epoch.world,
      settings: readSettings({}, { serverDir: '/nowhere', logLevel: 'CRITICAL' }).settings,
      accounts: new SimulatedAccounts(cloud, epoch, installation),
      connector: new SimulatedConnector(cloud, hosts, epoch),
      hosts: hosts.for(epoch),
      keyring: new Keyring([], epoch.world.random),
      inputs: new NoInputs(),
    });
    this.front = { epoch, runs, fleets };
    this.servingSince = this.time.now();
    this.story.tell(`server ${epoch.number} starts`);
    workload.start().catch((error: unknown) => {
      if (!epoch.isDead) this.story.violate(`the server does not start: ${String(error)}`);
    });
  }

  /** What the dead server had open is rolled back and closed before the next one opens the file. */
  private async bury(outside: Outside): Promise<void> {
    this.front = null;
    await this.engine?.close();
    this.engine = null;
    this.time.after(this.random.between(RESTART_MS.min, RESTART_MS.max), () => {
      this.starting = this.startServer(outside).finally(() => (this.starting = null));
    });
  }

  private planLeaseExpiry(invariants: Invariants): void {
    this.time.after(this.random.between(1, 2 * this.faults.leaseExpiryMs), () => {
      const expired = invariants.expireLeases(this.time.now());
      if (expired.length > 0) this.story.tell(`leases run out: ${expired.join(', ')}`);
      this.planLeaseExpiry(invariants);
    });
  }

  private isCrashDue(point: string, invariants: Invariants): boolean {
    const { crashAt } = this.options;
    if (crashAt !== undefined) {
      if (!this.leavesTheWorldAnew(point, invariants)) return false;
      this.crashPoints += 1;
      this.crashes += Number(this.crashPoints === crashAt);
      return this.crashPoints === crashAt;
    }
    if (this.crashes >= this.faults.maxCrashes || !this.random.chance(this.faults.crash)) return false;
    this.crashes += 1;
    return true;
  }

  /** Whoever dies while reading, or before asking or committing, leaves what there was after the last write or effect. */
  private leavesTheWorldAnew(point: string, invariants: Invariants): boolean {
    if (point.startsWith('between ')) return true;
    if (point !== 'after write') return false;
    const version = invariants.dataVersion();
    const isNew = version !== this.crashVersion;
    this.crashVersion = version;
    return isNew;
  }

  /** Until no transaction is open and a whole turn of the event loop brought nothing new. */
  private async rest(): Promise<void> {
    let steps = -1;
    while (this.activity.open > 0 || steps !== this.activity.steps) {
      steps = this.activity.steps;
      await turn();
    }
  }
}

let prepared: Promise<string> | null = null;

/** Migrated once per process; each story begins with a copy. */
function emptyDatabase(): Promise<string> {
  prepared ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dstack-sim-empty-'));
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, 'sqlite.db');
    const engine = await openSqliteEngine({ path, clock: { now: () => START }, entities: [] });
    await migrate(new Database(engine), ALL_MIGRATIONS);
    await engine.close();
    return path;
  })();
  return prepared;
}
