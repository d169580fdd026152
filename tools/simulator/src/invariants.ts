import type { SqliteConnection } from '@dstack/server/parts';
import type { SimulatedCloud } from './simulated-cloud.js';
import type { SimulatedHosts } from './simulated-hosts.js';
import type { Spool, SpoolWatch } from './simulated-job.js';
import type { Story } from './story.js';

/** A living server lets no due row lie that long. */
const FORGOTTEN_MS = 120_000;

const JOB_RANK: Readonly<Record<string, number>> = {
  submitted: 0, provisioning: 1, pulling: 2, running: 3, terminating: 4, terminated: 5, aborted: 5, failed: 5, done: 5,
}; // prettier-ignore
const INSTANCE_RANK: Readonly<Record<string, number>> = {
  pending: 0, launching: 1, provisioning: 2, idle: 3, busy: 3, terminating: 4, terminated: 5,
}; // prettier-ignore
const FINAL_RUNS = new Set(['terminated', 'failed', 'done']);

interface StatusRow {
  readonly id: string;
  readonly status: string;
}

/** What must be true after every commit, and at the end; read from the database beside the server. */
export class Invariants implements SpoolWatch {
  private readonly statuses = new Map<string, string>();
  private readonly spools = new Map<string, Spool>();
  private nextLookForForgotten = 0;

  constructor(
    private readonly db: SqliteConnection,
    private readonly story: Story,
  ) {}

  opened(spool: Spool): void {
    const key = `${spool.jobId} ${spool.stream}`;
    if (this.spools.has(key)) this.story.violate(`job ${spool.jobId} was started twice`);
    this.spools.set(key, spool);
  }

  acknowledged(spool: Spool, offset: number): void {
    const [row] = this.rows<{ end_offset: number }>(
      'SELECT end_offset FROM log_streams WHERE job_id = ? AND stream = ?',
      spool.jobId,
      spool.stream,
    );
    const stored = row?.end_offset ?? 0;
    if (offset > stored)
      this.story.violate(
        `${spool.jobId} ${spool.stream}: ${offset} bytes acknowledged, but only ${stored} are durable`,
      );
    if (offset > spool.content.length)
      this.story.violate(`${spool.jobId} ${spool.stream}: more bytes acknowledged than the job printed`);
  }

  afterCommit(cloud: SimulatedCloud, now: number, servingSince: number): void {
    this.db.prepare('BEGIN').run(); // one snapshot, and one lock instead of ten
    this.statusesMoveForward();
    this.blocksMatch();
    this.gangsAreWhole();
    this.fleetsKeepTheirLimit();
    this.intervalsMatch();
    this.machinesHaveRows(cloud);
    if (now >= this.nextLookForForgotten) {
      this.nextLookForForgotten = now + FORGOTTEN_MS / 4;
      this.nothingIsForgotten(now, servingSince);
      this.nothingWaitsInVain(now, servingSince);
    }
    this.db.prepare('COMMIT').run();
  }

  atTheEnd(cloud: SimulatedCloud, hosts: SimulatedHosts): void {
    for (const host of hosts.inhabited) {
      const [last] = this.rows<{ termination_message: string | null }>(
        'SELECT termination_message FROM instances WHERE host_name = ? ORDER BY finished_at DESC LIMIT 1',
        host,
      );
      if (last?.termination_message?.includes('could not be removed') !== true)
        this.story.violate(`host ${host} was let go with its agent, and nothing says so`);
    }
    for (const machine of cloud.living) {
      if (machine.id !== 'foreign') this.story.violate(`machine ${machine.id} (${machine.cloudName}) is left running`);
    }
    const open = this.rows<StatusRow>('SELECT id, status FROM runs').filter(({ status }) => !FINAL_RUNS.has(status));
    for (const { id, status } of open) this.story.violate(`run ${id} is stuck in ${status}`);
    for (const { id, status } of this.rows<StatusRow>('SELECT id, status FROM jobs')) {
      if (JOB_RANK[status] !== 5) this.story.violate(`job ${id} is stuck in ${status}`);
    }
    for (const { id, status } of this.rows<StatusRow>('SELECT id, status FROM instances')) {
      if (status !== 'terminated') this.story.violate(`instance ${id} is stuck in ${status}`);
    }
    for (const { n } of this.rows<{ n: number }>('SELECT COUNT(*) AS n FROM priced_intervals WHERE ended_at IS NULL')) {
      if (n > 0) this.story.violate(`${n} priced intervals never end`);
    }
    this.logsMatch();
  }

  /** As if the server had been too slow to renew: whoever comes next may take the row, and the slow one must not write. */
  expireLeases(now: number): string[] {
    return ['runs', 'jobs', 'instances'].flatMap((table) =>
      this.rows<{ id: string }>(
        `UPDATE ${table} SET lease_expires_at = ?, next_due_at = ? WHERE lease_expires_at > ? RETURNING id`,
        now,
        now,
        now,
      ).map(({ id }) => `${table} ${id}`),
    );
  }

  /** Moves when, and only when, a server has changed something. */
  dataVersion(): number {
    const [row] = this.rows<{ data_version: number }>('PRAGMA data_version');
    return row?.data_version ?? 0;
  }

  isOver(cloud: SimulatedCloud): boolean {
    const [open] = this.rows<{ n: number }>(
      `SELECT (SELECT COUNT(*) FROM runs WHERE status NOT IN ('terminated', 'failed', 'done'))
         + (SELECT COUNT(*) FROM jobs WHERE status NOT IN ('terminated', 'aborted', 'failed', 'done'))
         + (SELECT COUNT(*) FROM instances WHERE status <> 'terminated') AS n`,
    );
    return open?.n === 0 && cloud.living.every((machine) => machine.id === 'foreign');
  }

  /** Of an instance that is a host somebody gave. */
  hostOf(instanceId: string): string {
    return (
      this.rows<{ host_name: string | null }>('SELECT host_name FROM instances WHERE id = ?', instanceId)[0]
        ?.host_name ?? ''
    );
  }

  count(sql: string): number {
    return this.rows<{ n: number }>(sql)[0]?.n ?? 0;
  }

  /** Each acknowledged byte once and in order; what is stored beyond that is what the job printed, too. */
  private logsMatch(): void {
    for (const [name, spool] of this.spools) {
      const chunks = this.rows<{ start_offset: number; end_offset: number; data: Buffer }>(
        'SELECT start_offset, end_offset, data FROM log_chunks WHERE job_id = ? AND stream = ? ORDER BY start_offset',
        spool.jobId,
        spool.stream,
      );
      let end = 0;
      for (const chunk of chunks) {
        if (chunk.start_offset !== end || chunk.end_offset !== end + chunk.data.length)
          this.story.violate(`${name}: stored log has a gap or an overlap at ${end}`);
        end = chunk.end_offset;
      }
      if (end < spool.acknowledged) this.story.violate(`${name}: ${spool.acknowledged - end} acknowledged bytes lost`);
      const stored = Buffer.concat(chunks.map((chunk) => chunk.data));
      if (!stored.equals(spool.content.subarray(0, end)))
        this.story.violate(`${name}: the stored log differs from what the job printed`);
    }
  }

  private statusesMoveForward(): void {
    for (const { id, status } of this.rows<StatusRow>('SELECT id, status FROM jobs')) {
      this.moves('job', id, status, (JOB_RANK[this.statuses.get(id) ?? ''] ?? -1) <= (JOB_RANK[status] ?? -1));
    }
    for (const { id, status } of this.rows<StatusRow>('SELECT id, status FROM instances')) {
      const before = INSTANCE_RANK[this.statuses.get(id) ?? ''] ?? -1;
      this.moves('instance', id, status, before <= (INSTANCE_RANK[status] ?? -1));
    }
    for (const { id, status } of this.rows<StatusRow>('SELECT id, status FROM runs')) {
      this.moves('run', id, status, !FINAL_RUNS.has(this.statuses.get(id) ?? ''));
    }
  }

  private moves(kind: string, id: string, status: string, isForward: boolean): void {
    const before = this.statuses.get(id);
    if (before === status) return;
    const text = `${kind} ${id}: ${before ?? 'new'} -> ${status}`;
    this.story.tell(text);
    const endsAgain = kind === 'job' && JOB_RANK[before ?? ''] === 5;
    if (!isForward || endsAgain) this.story.violate(`${text} is backwards`);
    this.statuses.set(id, status);
  }

  private blocksMatch(): void {
    const wrong = this.rows<{ id: string; busy: number; used: number; total: number | null }>(
      `SELECT * FROM (SELECT i.id, i.busy_blocks AS busy, i.total_blocks AS total,
         (SELECT COALESCE(SUM(COALESCE(j.blocks, 1)), 0) FROM jobs j WHERE j.instance_id = i.id) AS used FROM instances i)
       WHERE busy <> used OR used > COALESCE(total, 1)`,
    );
    for (const { id, busy, used, total } of wrong)
      this.story.violate(`instance ${id}: ${busy} blocks busy, ${used} used by jobs, ${total ?? 1} in all`);
  }

  private gangsAreWhole(): void {
    const halves = this.rows<{ name: string }>(
      `SELECT r.name FROM jobs j JOIN runs r ON r.id = j.run_id WHERE j.status = 'submitted'
       GROUP BY j.run_id, j.replica_num, j.submission_num HAVING COUNT(j.instance_id) NOT IN (0, COUNT(*))`,
    );
    for (const { name } of halves) this.story.violate(`run ${name} has machines for some of its nodes only`);
  }

  private fleetsKeepTheirLimit(): void {
    const over = this.rows<{ name: string; n: number; max: number }>(
      `SELECT * FROM (SELECT f.name, json_extract(f.spec, '$.configuration.nodes.max') AS max,
         (SELECT COUNT(*) FROM instances i WHERE i.fleet_id = f.id AND i.status NOT IN ('terminating', 'terminated')) AS n FROM fleets f)
       WHERE n > max`,
    );
    for (const { name, n, max } of over) this.story.violate(`fleet ${name} has ${n} of at most ${max} nodes`);
  }

  private intervalsMatch(): void {
    const negative = this.rows<{ id: string }>('SELECT id FROM priced_intervals WHERE ended_at < started_at');
    for (const { id } of negative) this.story.violate(`priced interval ${id} ends before it starts`);
    const overlapping = this.rows<{ id: string }>(
      `SELECT a.instance_id AS id FROM priced_intervals a JOIN priced_intervals b ON a.instance_id = b.instance_id AND a.id < b.id
       WHERE a.started_at < COALESCE(b.ended_at, 9e15) AND b.started_at < COALESCE(a.ended_at, 9e15)`,
    );
    for (const { id } of overlapping) this.story.violate(`instance ${id} is priced twice at a time`);
  }

  private machinesHaveRows(cloud: SimulatedCloud): void {
    const attempts = this.rows<{ instance_id: string; cloud_name: string }>(
      `SELECT a.instance_id, a.cloud_name FROM provisioning_attempts a JOIN instances i ON i.id = a.instance_id
       WHERE i.status <> 'terminated'`,
    );
    const owners = new Map(attempts.map((attempt) => [attempt.cloud_name, attempt.instance_id]));
    const machines = new Map<string, string>();
    for (const { id, cloudName } of cloud.living) {
      if (id === 'foreign') continue;
      const instanceId = owners.get(cloudName);
      if (instanceId === undefined) this.story.violate(`machine ${id} (${cloudName}) belongs to no instance`);
      else if (machines.has(instanceId))
        this.story.violate(`instance ${instanceId} has two machines: ${machines.get(instanceId) ?? ''} and ${id}`);
      else machines.set(instanceId, id);
    }
  }

  private nothingIsForgotten(now: number, servingSince: number): void {
    const since = Math.min(now, Math.max(servingSince, 0));
    if (now - since < FORGOTTEN_MS) return;
    for (const table of ['runs', 'jobs', 'instances', 'fleets']) {
      const late = this.rows<{ id: string; next_due_at: number }>(
        `SELECT id, next_due_at FROM ${table} WHERE next_due_at < ? AND COALESCE(lease_expires_at, 0) < ?`,
        now - FORGOTTEN_MS,
        now - FORGOTTEN_MS,
      );
      for (const { id } of late) this.story.violate(`${table} ${id} was due and nobody looked`);
    }
  }

  /** A safety look may come minutes later; what waits for an event that has happened must not need it. */
  private nothingWaitsInVain(now: number, servingSince: number): void {
    if (now - servingSince < FORGOTTEN_MS) return;
    const runs = this.rows<{ id: string }>(
      `SELECT id FROM runs r WHERE status IN ('provisioning', 'running', 'terminating')
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.run_id = r.id AND COALESCE(j.finished_at, 9e15) > ?)`,
      now - FORGOTTEN_MS,
    );
    for (const { id } of runs) this.story.violate(`run ${id} has not noticed that its jobs are over`);
    const jobs = this.rows<{ id: string }>(
      `SELECT id FROM jobs WHERE status IN ('provisioning', 'pulling', 'running')
         AND json_extract(runtime_data, '$.agent.finishedAt') < ?`,
      now - FORGOTTEN_MS * 2,
    );
    for (const { id } of jobs) this.story.violate(`job ${id} has not noticed that its commands have ended`);
  }

  private rows<Row>(sql: string, ...params: unknown[]): Row[] {
    return this.db.prepare(sql).all(...params) as Row[]; // shapes as the migrations give them
  }
}
