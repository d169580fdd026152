import type { LogStream } from '@dstack/agent-protocol';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../persistence/database.js';
import type { LogKey } from '../log-store.js';
import type { SegmentRange } from './log-sink.js';

export interface UnshippedLog {
  readonly key: LogKey;
  readonly shippedOffset: number;
  readonly endOffset: number;
  readonly isClosed: boolean;
}

export interface StoredSegment extends SegmentRange {
  /** How many the sink has. */
  readonly events: number;
}

export interface Backlog {
  readonly bytes: number;
  readonly logs: number;
}

interface UnshippedRow {
  readonly job_id: string;
  readonly stream: LogStream;
  readonly end_offset: number;
  readonly shipped_offset: number;
  readonly closed: boolean;
  readonly run_name: string;
  readonly project_name: string;
}

interface SegmentRow {
  readonly job_id: string;
  readonly stream: string;
  readonly start_offset: number;
  readonly end_offset: number;
  readonly first_at: number;
  readonly last_at: number;
  readonly events: number;
  readonly shipped_at: number | null;
}

const OF_LOG = 'job_id = ? AND stream = ?';

/** The rows that say which part of a log is kept elsewhere, and which waits here. */
@Injectable()
export class LogSegments {
  constructor(@Inject(Database) private readonly db: Database) {}

  /** @param after the job after which they come, by id */
  unshipped(most: number, after: string): Promise<UnshippedLog[]> {
    return this.db.read(async (tx) => {
      const rows = await tx.query<UnshippedRow>(
        `SELECT s.job_id, s.stream, s.end_offset, s.shipped_offset, s.closed, r.name AS run_name,
                coalesce(p.original_name, p.name) AS project_name
           FROM log_streams s JOIN jobs j ON j.id = s.job_id JOIN runs r ON r.id = j.run_id JOIN projects p ON p.id = j.project_id
          WHERE s.unshipped = true AND s.job_id > ? ORDER BY s.job_id LIMIT ?`,
        [after, most],
      );
      return rows.map((row) => ({
        key: { projectName: row.project_name, runName: row.run_name, jobId: row.job_id, stream: row.stream },
        shippedOffset: row.shipped_offset,
        endOffset: row.end_offset,
        isClosed: row.closed,
      }));
    });
  }

  backlog(): Promise<Backlog> {
    return this.db.read(async (tx) => {
      const [row] = await tx.query<{ bytes: number | string | null; logs: number | string }>(
        'SELECT sum(end_offset - shipped_offset) AS bytes, count(*) AS logs FROM log_streams WHERE unshipped = true',
        [],
      );
      return { bytes: Number(row?.bytes ?? 0), logs: Number(row?.logs ?? 0) };
    });
  }

  /** Where the next one begins: what was begun and not settled, and the time of the last event before it. */
  next(key: LogKey, offset: number): Promise<{ readonly begun: StoredSegment | null; readonly lastAt: number }> {
    return this.db.read(async (tx) => {
      const rows = await tx.query<SegmentRow>(
        `SELECT * FROM log_segments WHERE ${OF_LOG} AND end_offset >= ? ORDER BY start_offset LIMIT 2`,
        [key.jobId, key.stream, offset],
      );
      const begun = rows.find((row) => row.start_offset === offset && row.shipped_at === null);
      const before = rows.find((row) => row.end_offset === offset && row.start_offset < offset);
      return { begun: begun === undefined ? null : toSegment(begun), lastAt: before?.last_at ?? 0 };
    });
  }

  /** Before it is put, so that who puts it again puts the same. */
  async begin(key: LogKey, { startOffset, endOffset, firstAt, lastAt }: SegmentRange): Promise<void> {
    await this.db.write((tx) =>
      tx.execute(
        `INSERT INTO log_segments (job_id, stream, start_offset, end_offset, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
        [key.jobId, key.stream, startOffset, endOffset, firstAt, lastAt],
      ),
    );
  }

  /** @returns false when somebody else has settled it */
  settle(key: LogKey, { startOffset, endOffset }: SegmentRange, events: number, now: number): Promise<boolean> {
    return this.db.write(async (tx) => {
      const moved = await tx.execute(
        `UPDATE log_streams SET shipped_offset = ?, unshipped = CASE WHEN end_offset > ? THEN true ELSE false END
          WHERE ${OF_LOG} AND shipped_offset = ?`,
        [endOffset, endOffset, key.jobId, key.stream, startOffset],
      );
      if (moved !== 1) return false;
      await tx.execute(`UPDATE log_segments SET events = ?, shipped_at = ? WHERE ${OF_LOG} AND start_offset = ?`, [
        events,
        now,
        key.jobId,
        key.stream,
        startOffset,
      ]);
      return true;
    });
  }

  /** The one with this offset, else the next one; only what was shipped. */
  at(key: LogKey, offset: number): Promise<StoredSegment | null> {
    return this.first(key, 'end_offset > ?', offset);
  }

  /** The first with something after a time. */
  after(key: LogKey, at: number): Promise<StoredSegment | null> {
    return this.first(key, 'last_at > ?', at);
  }

  /** What was shipped before a time needs not be here any more. @returns how many segments that was */
  async forgetChunks(before: number, most: number): Promise<number> {
    return this.db.write(async (tx) => {
      const rows = await tx.query<SegmentRow>(
        'SELECT * FROM log_segments WHERE is_kept = true AND shipped_at IS NOT NULL AND shipped_at < ? ORDER BY shipped_at LIMIT ?',
        [before, most],
      );
      for (const row of rows) {
        await tx.execute(`DELETE FROM log_chunks WHERE ${OF_LOG} AND end_offset <= ?`, [
          row.job_id,
          row.stream,
          row.end_offset,
        ]);
        await tx.execute(`UPDATE log_segments SET is_kept = false WHERE ${OF_LOG} AND start_offset = ?`, [
          row.job_id,
          row.stream,
          row.start_offset,
        ]);
      }
      return rows.length;
    });
  }

  private first(key: LogKey, condition: string, value: number): Promise<StoredSegment | null> {
    return this.db.read(async (tx) => {
      const [row] = await tx.query<SegmentRow>(
        `SELECT * FROM log_segments WHERE ${OF_LOG} AND shipped_at IS NOT NULL AND ${condition} ORDER BY start_offset LIMIT 1`,
        [key.jobId, key.stream, value],
      );
      return row === undefined ? null : toSegment(row);
    });
  }
}

function toSegment(row: SegmentRow): StoredSegment {
  return {
    startOffset: row.start_offset,
    endOffset: row.end_offset,
    firstAt: row.first_at,
    lastAt: row.last_at,
    events: row.events,
  };
}
