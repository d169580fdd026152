import { freePort } from '@dstack/e2e/free-port';
import { startPostgres } from '@dstack/e2e/postgres';
import { Stack } from '@dstack/e2e/stack';
import { type Database, openDatabase } from '@dstack/server/parts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, latencyOf } from '../api-client.js';
import type { Bench, BenchOptions, Measurement } from '../bench.js';
import { childrenOf, cpuOf, waitedForCpuMs } from '../process-usage.js';
import { growHistory, type HistoryPlan, RUN_EVERY_MS } from '../history/grow-history.js';
import { madeUpId } from '../history/made-up-id.js';
import { type Asked, QUESTIONS } from '../history/questions.js';

const PROJECTS = 20;
/** Before it counts: statements are prepared, code is compiled, pages are read. */
const WARM_UP = 10;

/** Questions that people and programs ask, in turn, one after the other, over one connection each of an admin and of a member. */
export const bench: Bench = {
  id: 'B5',
  title: 'The API with 100,000 runs and a million events: time of an answer over HTTP',
  async run(options) {
    const sqlite = await measure('SQLite', {}, options);
    const postgres = await startPostgres(await freePort());
    if (postgres === undefined) return sqlite;
    try {
      return [...sqlite, ...(await measure('Postgres', { DSTACK_DATABASE_URL: postgres.url }, options, postgres.pid))];
    } finally {
      await postgres.stop();
    }
  },
};

async function measure(
  engine: string,
  serverEnv: { readonly DSTACK_DATABASE_URL?: string },
  { quick, say }: BenchOptions,
  databasePid?: number,
): Promise<Measurement[]> {
  const stack = new Stack(serverEnv);
  try {
    await stack.start();
    const people = await createProjects(stack);
    await finishOneRun(stack);
    await stack.killServer('SIGTERM');
    const db = await openDatabase(
      serverEnv.DSTACK_DATABASE_URL === undefined
        ? { dialect: 'sqlite', path: join(stack.serverDir, 'data', 'sqlite.db') }
        : { dialect: 'postgres', url: serverEnv.DSTACK_DATABASE_URL },
      { clock: { now: Date.now } },
    );
    try {
      const plan: HistoryPlan = { runs: quick ? 500 : 100_000, eventsPerRun: 10, ...people };
      await growHistory(db, plan, say);
      say(`${engine}: asking`);
      await stack.start();
      return await askAll({
        engine,
        stack,
        db,
        asked: { ...people, plan, ...(await clockOf(db, plan)) },
        rounds: quick ? 3 : 300,
        ...(databasePid === undefined ? {} : { databasePid }),
      });
    } finally {
      await db.close();
    }
  } finally {
    await stack.close();
  }
}

interface People {
  readonly projectIds: readonly string[];
  readonly projectNames: readonly string[];
  readonly userIds: readonly string[];
  readonly userNames: readonly string[];
  /** Of a user who sees the last project only. */
  readonly memberToken: string;
}

async function createProjects(stack: Stack): Promise<People> {
  const numbers = Array.from({ length: PROJECTS }, (_, index) => index);
  const projectNames = numbers.map((number) => `team-${number}`);
  const userNames = numbers.map((number) => `person-${number}`);
  const projectIds: string[] = [];
  const userIds: string[] = [];
  let memberToken = '';
  for (const [number, username] of userNames.entries()) {
    const { project_id: projectId } = await stack.api<{ project_id: string }>('/api/projects/create', {
      project_name: projectNames[number],
    });
    await stack.api('/api/users/create', { username, global_role: 'user' });
    const user = await stack.api<{ id: string; creds: { token: string } }>('/api/users/get_user', { username });
    await stack.api(`/api/projects/${projectNames[number]}/add_members`, {
      members: [{ username, project_role: 'user' }],
    });
    projectIds.push(projectId);
    userIds.push(user.id);
    memberToken = user.creds.token;
  }
  return { projectIds, projectNames, userIds, userNames, memberToken };
}

const TRAINING = `type: task
name: training
python: "3.12"
env:
  - HF_TOKEN=hf_0123456789abcdefghijklmnopqrstuvwx
  - WANDB_API_KEY=0123456789abcdef0123456789abcdef01234567
  - MODEL=meta-llama/Llama-3.1-8B-Instruct
  - BATCH_SIZE=16
commands:
  - echo installing
  - echo 'uv pip install -r requirements.txt'
  - echo 'torchrun --nproc-per-node 8 train.py --model "$MODEL" --batch-size "$BATCH_SIZE" --learning-rate 3e-5 --output /checkpoints'
  - echo done
tags: {team: research, experiment: "42"}
retry: {on_events: [no-capacity, interruption], duration: 2h}
max_duration: 24h
resources: {cpu: 1.., memory: 128MB.., disk: 1GB..}
`;

async function finishOneRun(stack: Stack): Promise<void> {
  writeFileSync(join(stack.project, 'training.dstack.yml'), TRAINING);
  const applied = await stack.cli(['apply', '-y', '-f', 'training.dstack.yml']);
  if (applied.code !== 0) throw new Error(`the run to copy failed: ${applied.stdout}${applied.stderr}`);
}

async function clockOf(db: Database, { runs }: HistoryPlan): Promise<Pick<Asked, 'any' | 'submittedAt'>> {
  const [first] = await db.read((tx) =>
    tx.query<{ at: number }>('SELECT submitted_at AS at FROM runs WHERE id = ?', [madeUpId('run', runs)]),
  );
  const newest = first?.at ?? Number.NaN;
  let seed = 1;
  return {
    submittedAt: (run) => newest - (runs - run) * RUN_EVERY_MS,
    // The same questions in each run of the bench.
    any(below) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (seed >> 8) % below;
    },
  };
}

interface Asking {
  readonly engine: string;
  readonly stack: Stack;
  readonly db: Database;
  readonly asked: Asked & People;
  readonly rounds: number;
  /** Of the program that starts one for each connection. */
  readonly databasePid?: number;
}

async function askAll({ engine, stack, db, asked, rounds, databasePid }: Asking): Promise<Measurement[]> {
  const clients = { admin: new ApiClient(stack.url, stack.token), member: new ApiClient(stack.url, asked.memberToken) };
  try {
    const own = [stack.serverPid, process.pid];
    const timed = timer(rounds, () => (databasePid === undefined ? own : [...own, ...childrenOf(databasePid)]));
    const empty = latencyOf((await timed(() => clients.admin.post('/api/server/get_info', {}))).all);
    const measurements: Measurement[] = [];
    for (const { name, atMostMs, askedBy, request, bareSql } of QUESTIONS) {
      const cpuBefore = cpuOf(stack.serverPid).own;
      const times = await timed(() => {
        const { path, body } = request(asked);
        return clients[askedBy].post(path, body);
      });
      const cpuMs = (cpuOf(stack.serverPid).own - cpuBefore) / (rounds + WARM_UP);
      const { p50, p99 } = latencyOf(times.all);
      const bare = bareSql && latencyOf((await timed(() => db.read((tx) => bareSql(tx, asked)))).all);
      const floor =
        bare === undefined
          ? { what: 'a route that does nothing', p50: empty.p50, p99: empty.p99 }
          : {
              what: 'the rows by SQL alone, and a route that does nothing',
              p50: bare.p50 + empty.p50,
              p99: bare.p99 + empty.p99,
            };
      measurements.push(
        { name: `${engine}, ${name}, CPU of the server`, value: cpuMs, unit: 'ms CPU' },
        { name: `${engine}, ${name}, p50`, value: p50, unit: 'ms', floor: { what: floor.what, value: floor.p50 } },
        {
          name: `${engine}, ${name}, p99`,
          value: p99,
          unit: 'ms',
          floor: { what: floor.what, value: floor.p99 },
          target: { atMost: atMostMs },
        },
        // What else runs on the machine is in the others.
        {
          name: `${engine}, ${name}, p99 without waits for a CPU`,
          value: latencyOf(times.running).p99,
          unit: 'ms',
        },
      );
    }
    return measurements;
  } finally {
    clients.admin.close();
    clients.member.close();
  }
}

interface Times {
  readonly all: number[];
  /** Without what the processes waited for a CPU. */
  readonly running: number[];
}

function timer(rounds: number, pids: () => readonly number[]): (ask: () => Promise<unknown>) => Promise<Times> {
  return async (ask) => {
    const times: Times = { all: [], running: [] };
    for (let round = -WARM_UP; round < rounds; round += 1) {
      const before = waits(pids());
      const startedAt = performance.now();
      await ask();
      const took = performance.now() - startedAt;
      if (round < 0) continue;
      times.all.push(took);
      const after = waits([...before.keys()]);
      times.running.push(took - [...after].reduce((sum, [pid, ms]) => sum + ms - (before.get(pid) ?? ms), 0));
    }
    return times;
  };
}

function waits(pids: readonly number[]): ReadonlyMap<number, number> {
  return new Map(
    pids.flatMap((pid): [number, number][] => {
      try {
        return [[pid, waitedForCpuMs(pid)]];
      } catch {
        return []; // a connection that was closed meanwhile
      }
    }),
  );
}
