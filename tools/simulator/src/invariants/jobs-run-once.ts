import type { JobStart, LogStream, StopRequest } from '@dstack/agent-protocol';
import type { JobWatch, Spool } from '../hosts/job-watch.js';
import type { Story } from '../story.js';
import type { Invariant, Scene } from './invariant.js';

type DurableEnd = (jobId: string, stream: LogStream) => number;

/** Seen from the agents: each job is started once, on one host, is given its time, and what it printed is kept. */
export class JobsRunOnce implements Invariant, JobWatch {
  private readonly hosts = new Map<string, string>();
  private readonly spools = new Map<string, Spool>();

  constructor(
    private readonly story: () => Story,
    private readonly durableEnd: DurableEnd,
  ) {}

  started({ id }: JobStart, agentId: string, spools: Readonly<Record<LogStream, Spool>>): void {
    const before = this.hosts.get(id);
    if (before !== undefined) this.story().violate(`job ${id} is started on ${agentId}, and was started on ${before}`);
    this.hosts.set(id, agentId);
    for (const stream of ['job', 'runner'] as const) this.spools.set(`${id} ${stream}`, spools[stream]);
  }

  stopping({ id, maxDurationSeconds }: JobStart, { reason }: StopRequest, ranMs: number | null): void {
    if (reason !== 'max_duration_exceeded' || maxDurationSeconds === undefined) return;
    if (ranMs === null || ranMs < maxDurationSeconds * 1000)
      this.story().violate(
        `job ${id} is stopped ${ranMs ?? 0} ms after its start for having run ${maxDurationSeconds} s`,
      );
  }

  acknowledged(spool: Spool, offset: number): void {
    const stored = this.durableEnd(spool.jobId, spool.stream);
    const name = `${spool.jobId} ${spool.stream}`;
    if (offset > stored) this.story().violate(`${name}: ${offset} bytes acknowledged, but only ${stored} are durable`);
    if (offset > spool.content.length) this.story().violate(`${name}: more bytes acknowledged than the job printed`);
  }

  atTheEnd(scene: Scene): void {
    this.logsAreRight(scene);
    this.logsAreWhole(scene);
  }

  /** To the length that the agent has told; if not, it is said. */
  private logsAreWhole({ story, query }: Scene): void {
    const cut = query<{ id: string; missing: number }>(
      `SELECT j.id, json_extract(j.runtime_data, '$.agent.logEnd.job') - COALESCE(s.end_offset, 0) AS missing
       FROM jobs j LEFT JOIN log_streams s ON s.job_id = j.id AND s.stream = 'job'
       WHERE json_extract(j.runtime_data, '$.agent.phase') = 'finished' AND missing > 0
         AND NOT EXISTS (SELECT 1 FROM events e JOIN event_targets t ON t.event_id = e.id
           WHERE t.entity_id = j.id AND e.message LIKE 'The last % bytes of the log are lost: %')`,
    );
    for (const { id, missing } of cut) story.violate(`job ${id}: the last ${missing} bytes of its log are missing`);
  }

  /** Each acknowledged byte once and in order; what is stored beyond that is what the job printed, too. */
  private logsAreRight({ story, query }: Scene): void {
    for (const [name, spool] of this.spools) {
      const chunks = query<{ start_offset: number; end_offset: number; data: Buffer }>(
        'SELECT start_offset, end_offset, data FROM log_chunks WHERE job_id = ? AND stream = ? ORDER BY start_offset',
        spool.jobId,
        spool.stream,
      );
      let end = 0;
      for (const chunk of chunks) {
        if (chunk.start_offset !== end || chunk.end_offset !== end + chunk.data.length)
          story.violate(`${name}: the stored log has a gap or an overlap at ${end}`);
        end = chunk.end_offset;
      }
      if (end < spool.acknowledged) story.violate(`${name}: ${spool.acknowledged - end} acknowledged bytes are lost`);
      const stored = Buffer.concat(chunks.map((chunk) => chunk.data));
      if (!stored.equals(spool.content.subarray(0, end)))
        story.violate(`${name}: the stored log differs from what the job printed`);
    }
  }
}
