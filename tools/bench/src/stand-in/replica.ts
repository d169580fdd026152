import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ALL_MIGRATIONS,
  buildWorkload,
  Database,
  type Engine,
  giveMemoryBack,
  Keyring,
  livesOfDirectory,
  lockServerDirectory,
  migrate,
  openPostgresEngine,
  openSqliteEngine,
  type ProjectScope,
  readSettings,
  silenceLogs,
  type World,
} from '@dstack/server/parts';
import { benchProject } from './bench-project.js';
import { countingEngine } from './counting-engine.js';
import type { Answer, Failure, Order, ReplicaOptions, ReplicaState } from './messages.js';
import { NoAgents } from './no-agents.js';
import { NoHosts } from './no-hosts.js';
import { NoInputs } from './no-inputs.js';
import { StandInConnector } from './stand-in-agent.js';
import { StandInAccounts } from './stand-in-cloud.js';

/**
 * One server without HTTP: the real services, reconcilers, placement and persistence in real time, with a stand-in cloud and stand-in agents.
 * Takes orders over IPC, one after the other.
 */
const BARE_RUNS =
  'CREATE TABLE IF NOT EXISTS bare_runs (id varchar(36) NOT NULL PRIMARY KEY, spec text NOT NULL, status varchar(30) NOT NULL)';
const NOT_COUNTED = {
  runsRunning: Number.NaN,
  jobsRunning: Number.NaN,
  runsFailed: Number.NaN,
  connected: Number.NaN,
  lastChangeAt: Number.NaN,
};
const startedAt = Date.now();
const count = { writes: 0 };
const world: World = {
  clock: { now: () => Date.now() },
  ids: { uuid: () => randomUUID() },
  random: { next: () => Math.random(), bytes: (length) => randomBytes(length) },
  scheduler: {
    after: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
    sleep: (delayMs, signal) => sleep(delayMs, undefined, signal === undefined ? {} : { signal }),
  },
};

silenceLogs();
// Only the bench starts this program.
const options = JSON.parse(process.argv[2] ?? '') as ReplicaOptions;
const db = new Database(countingEngine(await openEngine(options), count), {
  groupsCommits: options.database.dialect === 'sqlite',
});
await migrate(db, ALL_MIGRATIONS);
const scope = await benchProject(db);
const { workload, runs } = buildWorkload({
  db,
  world,
  settings: readSettings({}, { serverDir: '/nowhere', logLevel: 'CRITICAL' }).settings,
  accounts: new StandInAccounts(),
  connector: new StandInConnector(),
  hosts: new NoHosts(),
  keyring: new Keyring([], world.random),
  inputs: new NoInputs(),
  agentArchives: new NoAgents(),
  ...(options.serverDir === undefined ? {} : { lives: takeDirectory(options.serverDir) }),
});
await workload.start();
giveMemoryBack(world.scheduler);
let last: Promise<unknown> = Promise.resolve();
process.on('message', (order: Order) => {
  last = last.then(async () => process.send?.(await answer(order)));
});
process.on('SIGTERM', () => void workload.stop().then(() => process.exit(0)));
process.on('disconnect', () => process.exit(0));
process.send?.({ type: 'ready' });

function takeDirectory(serverDir: string): ReturnType<typeof livesOfDirectory> {
  const lock = lockServerDirectory(serverDir, Date.now());
  process.on('exit', () => lock.release());
  return livesOfDirectory(serverDir);
}

function openEngine({ database }: ReplicaOptions): Promise<Engine> {
  return database.dialect === 'sqlite'
    ? openSqliteEngine({ path: database.path, clock: world.clock, entities: [] })
    : openPostgresEngine({ url: database.url, poolSize: 20, entities: [] });
}

async function answer(order: Order): Promise<Answer | Failure> {
  try {
    return await follow(order);
  } catch (error) {
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function follow(order: Order): Promise<Answer> {
  const began = Date.now();
  const from = performance.now();
  switch (order.do) {
    case 'submit':
      await manyAtOnce(order.count, order.atOnce, (index) => submit(scope, `${order.prefix}-${index}`, order.nodes));
      break;
    case 'bare':
      await db.write((tx) => tx.execute(BARE_RUNS));
      await manyAtOnce(order.count, order.atOnce, bareRun);
      break;
    case 'ask':
    case 'glance':
  }
  return {
    startedAt: began,
    elapsedMs: performance.now() - from,
    state: order.do === 'glance' ? await glance() : await state(order.do === 'ask' && order.withConnected === true),
  };
}

async function manyAtOnce(total: number, atOnce: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < total) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, total) }, one));
}

async function submit(project: ProjectScope, name: string, nodes: number): Promise<void> {
  const configuration = {
    type: 'task' as const,
    name,
    commands: ['work'],
    image: 'ubuntu',
    resources: { cpu: '1..', memory: '1GB..', disk: null },
    ...(nodes > 1 ? { nodes } : {}),
  };
  await runs.apply(
    project,
    { plan: { run_spec: { run_name: name, configuration }, current_resource: null }, force: true },
    null,
  );
}

/** What no server could do without: the run is written, and written again when it runs. */
async function bareRun(): Promise<void> {
  const id = randomUUID();
  await db.write((tx) => tx.execute(`INSERT INTO bare_runs VALUES (?, ?, 'submitted')`, [id, 'x'.repeat(2_000)]));
  await db.write((tx) => tx.execute(`UPDATE bare_runs SET status = 'running' WHERE id = ?`, [id]));
}

async function glance(): Promise<ReplicaState> {
  return { ...NOT_COUNTED, machinesBusy: await machinesBusy(), writes: count.writes };
}

function machinesBusy(): Promise<number> {
  return db.read(async (tx) => {
    const [row] = await tx.query<{ n: number }>(
      `SELECT COUNT(*) AS n FROM instances WHERE deleted = false AND status = 'busy'`,
    );
    return Number(row?.n);
  });
}

async function state(withConnected: boolean): Promise<ReplicaState> {
  const row = await db.read(async (tx) => {
    const rows = await tx.query<Record<'runs' | 'jobs' | 'failed' | 'run_at' | 'job_at', number | null>>(
      `SELECT (SELECT COUNT(*) FROM runs WHERE status = 'running') AS runs,
         (SELECT COUNT(*) FROM jobs WHERE status = 'running') AS jobs,
         (SELECT COUNT(*) FROM runs WHERE status IN ('failed', 'terminated', 'terminating', 'done', 'pending')) AS failed,
         (SELECT MAX(status_changed_at) FROM runs) AS run_at,
         (SELECT MAX(status_changed_at) FROM jobs) AS job_at`,
    );
    return rows[0];
  });
  return {
    runsRunning: Number(row?.runs),
    jobsRunning: Number(row?.jobs),
    runsFailed: Number(row?.failed),
    machinesBusy: await machinesBusy(),
    connected: withConnected ? await connected() : Number.NaN,
    lastChangeAt: Math.max(Number(row?.run_at), Number(row?.job_at)),
    writes: count.writes,
  };
}

async function connected(): Promise<number> {
  return db.read(async (tx) => {
    const rows = await tx.query<{ agent_info: string | null }>(
      'SELECT agent_info FROM instances WHERE connection_expires_at > ? AND unreachable_since IS NULL',
      [await tx.now()],
    );
    const since = rows.map(
      (row) => (JSON.parse(row.agent_info ?? '{}') as { connectedSince?: number }).connectedSince ?? 0,
    );
    return since.filter((at) => at >= startedAt).length;
  });
}
