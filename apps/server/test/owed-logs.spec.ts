import { randomUUID } from 'node:crypto';
import { type AgentApi, AgentRequestError, PROTOCOL } from '@dstack/agent-protocol';
import { decideJob, LIMITS } from '@dstack/core';
import { Logger } from '@nestjs/common';
import { AgentRegistry } from '../src/agents/agent-registry.js';
import { type ConnectionTools, HostConnection } from '../src/agents/host-connection.js';
import { jobsThatOweLogs, liveJobsOn } from '../src/agents/live-jobs.js';
import { EventRecorder } from '../src/events/event-recorder.js';
import { InstanceLimits } from '../src/instances/instance-limits.js';
import { JobCommit } from '../src/jobs/job-commit.js';
import { findJob } from '../src/jobs/job-record.js';
import { JobSnapshots } from '../src/jobs/job-snapshots.js';
import { wakeOwedLogs } from '../src/jobs/owed-logs.js';
import type { LogChunk, LogKey, LogStore } from '../src/logs/log-store.js';
import type { Database } from '../src/persistence/database.js';
import { readTogether, writeTogether } from '../src/persistence/together.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import { deleteOldLogs } from '../src/retention/old-logs.js';
import { realWorld } from '../src/world/real-world.js';
import { seedJob } from './support/workload-rows.js';
import { testDatabases } from './support/test-databases.js';

const START = 1_000_000_000_000;
const LATE = START + LIMITS.logDrainMs;
const AGENT = {
  id: 'set below',
  revision: 5,
  phase: 'finished',
  phaseAt: START,
  finishedAt: START,
  exitStatus: 0,
  reason: 'done_by_runner',
  logEnd: { job: 100, runner: 20 },
};

/** A job whose commands have ended, on a machine that is connected, with 40 bytes of its log taken. */
async function seedEnded(db: Database) {
  const seeded = await seedJob(db);
  const instanceId = randomUUID();
  const runtime = {
    agent: { ...AGENT, id: seeded.jobId },
    stopSent: null,
    offer: null,
    networkMode: 'host',
    startError: null,
  };
  await db.write(async (tx) => {
    await tx.execute(
      `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, total_blocks, busy_blocks, agent_info,
         connection_holder, connection_expires_at) VALUES (?, ?, 0, 'box', 'busy', 1, 1, 1, 1, ?, 'me', ?)`,
      [instanceId, seeded.projectId, JSON.stringify({ info: null, connectedSince: START }), 9_000_000_000_000],
    );
    await tx.execute(
      `UPDATE jobs SET status = 'terminating', status_changed_at = ?, termination_reason = 'done_by_runner', instance_id = ?, used_instance_id = ?,
         blocks = 1, agent_revision = 5, job_spec = '{"job_name":"train-0-0"}', runtime_data = ?, next_due_at = ? WHERE id = ?`,
      [START, instanceId, instanceId, JSON.stringify(runtime), LATE, seeded.jobId],
    );
  });
  return { ...seeded, instanceId };
}

beforeAll(() => {
  Logger.overrideLogger(false);
});

const completed: string[] = [];
const logs: Pick<LogStore, 'complete'> = {
  complete: async ({ jobId, stream }) => void completed.push(`${jobId} ${stream}`),
};
const wake = new Wake(new Notices());
const world = realWorld();
const commit = new JobCommit(wake, new EventRecorder(world, { eventsTtlSeconds: 60 }), logs, world);

/** As the engine does it; `lostBytes` is what the effect brings. */
async function pass(db: Database, jobId: string, now: number, lostBytes: number | Error = 0) {
  const observed = await db.read((tx) => new JobSnapshots(new InstanceLimits()).load(jobId, tx, now));
  if (observed === null) throw new Error('no job');
  const decision = decideJob(observed.snapshot.snapshot, now);
  await db.write(async (tx) => {
    const outcomes = decision.effects.map((effect) =>
      lostBytes instanceof Error
        ? { effect, ok: false as const, error: lostBytes }
        : { effect, ok: true as const, value: lostBytes },
    );
    const context = { id: jobId, snapshot: observed.snapshot, decision, outcomes, now };
    await commit.lock(tx, context);
    const { dueAt = decision.dueAt } = await commit.write(tx, context);
    await tx.execute('UPDATE jobs SET next_due_at = CAST(? AS bigint) WHERE id = ?', [dueAt, jobId]);
  });
  return decision.effects.map((effect) => effect.do);
}

/** Keeps a log for each job that is meant to be there, and loses the first connection in the middle of each. */
class KeepingAgent {
  readonly told: (readonly string[])[] = [];
  connections = 0;
  constructor(
    readonly kept: Set<string>,
    private readonly onForgotten: (jobId: string) => void,
  ) {}

  readonly connect = () => {
    this.connections += 1;
    const isFirst = this.connections === 1;
    const broken = new Error('the connection broke');
    let breakOff: (() => void) | undefined;
    const lost = new Promise<never>((_, reject) => (breakOff = () => reject(broken)));
    lost.catch(() => undefined); // told by the events
    const api = {
      info: async () => ({ version: '0', protocol: PROTOCOL }),
      desire: async (ids: readonly string[]) => {
        this.told.push(ids);
        for (const id of this.kept) if (!ids.includes(id)) this.kept.delete(id);
        return { missing: [] };
      },
      // eslint-disable-next-line require-yield -- nothing happens on this host but that it is lost
      events: async function* (signal: AbortSignal) {
        await Promise.race([lost, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
      },
      logs: (jobId: string, stream: 'job' | 'runner', offset: number) =>
        this.log(jobId, stream, offset, isFirst, breakOff),
      acknowledgeLogs: async () => undefined,
    };
    return Promise.resolve({ api: api as unknown as AgentApi, close: () => undefined }); // no more of it is used
  };

  private async *log(jobId: string, stream: 'job' | 'runner', offset: number, isFirst: boolean, breakOff?: () => void) {
    if (!this.kept.has(jobId)) {
      this.onForgotten(jobId);
      throw new AgentRequestError(404, 'not_found', 'there is no such job');
    }
    if (isFirst) {
      breakOff?.();
      throw new Error('the connection broke');
    }
    yield { endOffset: AGENT.logEnd[stream], at: START, payload: Buffer.alloc(AGENT.logEnd[stream] - offset, 'x') };
  }
}

const owing = async (db: Database, instanceId: string): Promise<readonly string[]> =>
  (await db.read((tx) => jobsThatOweLogs(tx, instanceId))).map(({ jobId }) => jobId);
const lost = async (db: Database): Promise<readonly string[]> =>
  (await db.read((tx) => tx.query<{ message: string }>(`SELECT message FROM events WHERE message LIKE '%bytes%'`))).map(
    ({ message }) => message,
  );

describe.each(testDatabases())('a job whose log could not be taken in time, on $name', ({ open }) => {
  it('is over and gives its machine back, which goes on being asked for its log', async () => {
    const db = await open();
    const { jobId, instanceId } = await seedEnded(db);
    expect(await pass(db, jobId, LATE)).toEqual([]);
    expect(await db.read((tx) => findJob(tx, jobId))).toMatchObject({
      status: 'done',
      instanceId: null,
      finishedAt: LATE,
    });
    const [machine] = await db.read((tx) => tx.query('SELECT busy_blocks FROM instances'));
    expect(machine).toEqual({ busy_blocks: 0 });
    expect(await db.read((tx) => liveJobsOn(tx, instanceId))).toEqual([]);
    expect(await owing(db, instanceId)).toEqual([jobId]);
    expect(completed).not.toContain(`${jobId} job`);
    // Its log is not swept away in the middle.
    const deleted = { db, logs: { deleteRun: () => Promise.reject(new Error('not now')) }, now: LATE };
    expect(await deleteOldLogs(deleted as unknown as Parameters<typeof deleteOldLogs>[0], LATE + 1)).toBe(0);
  });

  it('owes nothing when its log has come, and its host forgets it', async () => {
    const db = await open();
    const { jobId, instanceId } = await seedEnded(db);
    await pass(db, jobId, LATE);
    await db.write((tx) => tx.execute('UPDATE jobs SET log_end_job = 100, log_end_runner = 20'));
    expect(await pass(db, jobId, LATE + 1)).toEqual(['remove']);
    expect(await owing(db, instanceId)).toEqual([]);
    expect(await pass(db, jobId, LATE + 2)).toEqual([]);
    expect(await lost(db)).toEqual([]);
  });

  it('says how much is lost with its machine, once', async () => {
    const db = await open();
    const { jobId, instanceId } = await seedEnded(db);
    await pass(db, jobId, LATE);
    await db.write((tx) => tx.execute(`UPDATE instances SET status = 'terminated'`));
    await db.write((tx) => wakeOwedLogs(tx, wake, instanceId));
    expect(await db.read((tx) => tx.query('SELECT wake_seq FROM jobs'))).toEqual([{ wake_seq: 1 }]);
    expect(await pass(db, jobId, LATE + 1, 80)).toEqual(['give-up-log']);
    expect(await lost(db)).toEqual(['The last 80 bytes of the log are lost: its host is gone']);
    expect(completed).toEqual(expect.arrayContaining([`${jobId} job`, `${jobId} runner`]));
    expect(await owing(db, instanceId)).toEqual([]);
    expect(await pass(db, jobId, LATE + 2)).toEqual([]);
    expect(await lost(db)).toHaveLength(1);
  });

  it('says nothing of a log that was all there', async () => {
    const db = await open();
    const { jobId } = await seedEnded(db);
    await pass(db, jobId, LATE);
    expect(await pass(db, jobId, LATE + LIMITS.owedLogMs, 0)).toEqual(['give-up-log']);
    expect(await lost(db)).toEqual([]);
  });

  it('counts again when the count failed', async () => {
    const db = await open();
    const { jobId } = await seedEnded(db);
    await pass(db, jobId, LATE);
    const late = LATE + LIMITS.owedLogMs;
    await pass(db, jobId, late, new Error('the database is away'));
    const [row] = await db.read((tx) => tx.query('SELECT next_due_at FROM jobs'));
    expect(row).toEqual({ next_due_at: late + LIMITS.agentRetryMs });
    await pass(db, jobId, late + LIMITS.agentRetryMs, 80);
    expect(await lost(db)).toEqual(['The last 80 bytes of the log are lost: the server could not take them for a day']);
  });

  it('is left to its host by a connection, and by the one after it, which brings the rest', async () => {
    const db = await open();
    const { jobId, instanceId } = await seedEnded(db);
    await pass(db, jobId, LATE);
    const machine = { ref: { cloudName: 'a' }, state: 'ready', agent: { via: 'unix', socketPath: '/nowhere' } };
    await db.write((tx) => tx.execute('UPDATE instances SET machine = ?', [JSON.stringify(machine)]));
    const whole = Promise.withResolvers<void>();
    const agent = new KeepingAgent(new Set([jobId, 'of nobody']), () => whole.reject(new Error('it was removed')));
    const ended = new Set<string>();
    const tools = {
      db,
      wake,
      world,
      holder: 'me',
      connector: agent,
      keeper: { keep: () => () => undefined },
      registry: new AgentRegistry(),
      reading: readTogether(db),
      taking: writeTogether(db),
      marking: writeTogether(db),
      jobStates: { missing: async () => undefined },
      store: {
        endOffset: async () => 10,
        append: async (_key: LogKey, start: number, chunks: readonly LogChunk[]) =>
          start + (chunks[0]?.payload.length ?? 0),
        complete: async ({ stream }: LogKey) => void (ended.add(stream).size === 2 && whole.resolve()),
      },
    } as unknown as ConnectionTools; // prettier-ignore -- it comes to use no more of them
    const connection = new HostConnection(instanceId, tools, () => whole.reject(new Error('it was given up')));
    await whole.promise;
    await connection.stop();
    expect(agent).toMatchObject({ connections: 2, told: [[jobId], [jobId]], kept: new Set([jobId]) });
  });
});
