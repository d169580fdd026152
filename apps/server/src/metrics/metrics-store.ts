import type { JobMetrics } from '@dstack/agent-protocol';
import type { MetricsPoint } from '@dstack/core';
import type { Database } from '../persistence/database.js';
import { rowId } from '../world/row-id.js';
import type { World } from '../world/world.js';

export interface MetricsWindow {
  readonly limit: number;
  /** Inclusive, Unix micros. */
  readonly afterMicro?: number;
  readonly beforeMicro?: number;
}

interface PointRow {
  timestamp_micro: number;
  cpu_usage_micro: number;
  memory_usage_bytes: number;
  memory_working_set_bytes: number;
  gpus: string;
}

/** Samples of jobs in the database. */
export class MetricsStore {
  constructor(
    private readonly db: Database,
    private readonly world: Pick<World, 'clock' | 'ids'>,
  ) {}

  /** @param at Unix ms. */
  async record(jobId: string, at: number, metrics: JobMetrics): Promise<void> {
    await this.db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO job_metrics_points
           (id, job_id, timestamp_micro, cpu_usage_micro, memory_usage_bytes, memory_working_set_bytes, gpus)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        [
          rowId(this.world),
          jobId,
          Math.round(at * 1000),
          metrics.cpuUsageMicros,
          metrics.memoryUsageBytes,
          metrics.memoryWorkingSetBytes,
          JSON.stringify(metrics.gpus),
        ],
      );
    });
  }

  /** The newest sample of each running job. */
  newestOfRunning(): Promise<Map<string, MetricsPoint>> {
    return this.db.read(async (tx) => {
      const rows = await tx.query<PointRow & { job_id: string }>(
        `SELECT m.job_id, m.timestamp_micro, m.cpu_usage_micro, m.memory_usage_bytes, m.memory_working_set_bytes, m.gpus
           FROM job_metrics_points m
           JOIN (SELECT job_id, MAX(timestamp_micro) AS newest FROM job_metrics_points
                  WHERE job_id IN (SELECT id FROM jobs WHERE status = 'running') GROUP BY job_id) n
             ON n.job_id = m.job_id AND n.newest = m.timestamp_micro`,
      );
      return new Map(rows.map((row) => [row.job_id, toPoint(row)]));
    });
  }

  /** Newest first; one point more than asked for, as the base of the oldest difference. */
  points(jobId: string, window: MetricsWindow): Promise<MetricsPoint[]> {
    return this.db.read(async (tx) => {
      const rows = await tx.query<PointRow>(
        `SELECT timestamp_micro, cpu_usage_micro, memory_usage_bytes, memory_working_set_bytes, gpus
           FROM job_metrics_points
          WHERE job_id = ? AND timestamp_micro >= ? AND timestamp_micro <= ?
          ORDER BY timestamp_micro DESC LIMIT ?`,
        [jobId, window.afterMicro ?? 0, window.beforeMicro ?? Number.MAX_SAFE_INTEGER, window.limit + 1],
      );
      return rows.map(toPoint);
    });
  }

  /** Retention: running jobs keep `runningMs` of samples, finished ones go `finishedMs` after their last. Returns how many went. */
  deleteOld(now: number, retention: { readonly runningMs: number; readonly finishedMs: number }): Promise<number> {
    return this.db.write(async (tx) => {
      const running = await tx.execute(
        `DELETE FROM job_metrics_points WHERE timestamp_micro < ?
           AND job_id IN (SELECT id FROM jobs WHERE status IN ('provisioning', 'pulling', 'running'))`,
        [(now - retention.runningMs) * 1000],
      );
      const finished = await tx.execute(
        `DELETE FROM job_metrics_points WHERE timestamp_micro < ?
           AND job_id IN (SELECT id FROM jobs WHERE finished_at IS NOT NULL)`,
        [(now - retention.finishedMs) * 1000],
      );
      return running + finished;
    });
  }
}

function toPoint(row: PointRow): MetricsPoint {
  return {
    timestampMicro: row.timestamp_micro,
    cpuUsageMicros: row.cpu_usage_micro,
    memoryUsageBytes: row.memory_usage_bytes,
    memoryWorkingSetBytes: row.memory_working_set_bytes,
    // Written by `record` above.
    gpus: JSON.parse(row.gpus) as MetricsPoint['gpus'],
  };
}
