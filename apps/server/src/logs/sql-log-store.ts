import type { Database } from '../persistence/database.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import { type ReadTogether, readTogether } from '../persistence/together.js';
import type { ReadTx } from '../persistence/transaction.js';
import type { Scheduler, Timer } from '../world/scheduler.js';
import { LogWatchers } from './log-watchers.js';
import {
  type LogChunk,
  type LogKey,
  LogOffsetConflictError,
  type LogSlice,
  type LogStore,
  type StoredChunk,
} from './log-store.js';

/** Another replica's appends are noticed this late at most. */
const POLL_MS = 1_000;

interface ChunkRow {
  start_offset: number;
  end_offset: number;
  last_at: number;
  data: Buffer;
}

/** Logs in the database, for several replicas: each append is conditional on where the log ends, whoever sends it. */
export class SqlLogStore implements LogStore {
  private readonly watchers = new LogWatchers();
  private readonly reading: ReadTogether;
  private readonly alsoSet: string;

  /** @param options.ships what is appended waits to be shipped elsewhere */
  constructor(
    private readonly db: Database,
    private readonly scheduler: Scheduler,
    { ships = false } = {},
  ) {
    this.reading = readTogether(db);
    this.alsoSet = ships ? ', unshipped = true' : '';
  }

  endOffset(key: LogKey): Promise<number> {
    return this.reading.run(async (tx) => (await streamRow(tx, key)).end_offset);
  }

  async append(key: LogKey, startOffset: number, chunks: readonly LogChunk[]): Promise<number> {
    const filled = chunks.filter((chunk) => chunk.payload.length > 0);
    const data = Buffer.concat(filled.map((chunk) => chunk.payload));
    const end = startOffset + data.length;
    await this.db.write(async (tx) => {
      await tx.execute('INSERT INTO log_streams (job_id, stream) VALUES (?, ?) ON CONFLICT DO NOTHING', [
        key.jobId,
        key.stream,
      ]);
      const moved = await tx.execute(
        `UPDATE log_streams SET end_offset = ?${this.alsoSet} WHERE job_id = ? AND stream = ? AND end_offset = ? AND closed = ?`,
        [end, key.jobId, key.stream, startOffset, false],
      );
      if (moved !== 1) throw new LogOffsetConflictError((await streamRow(tx, key)).end_offset);
      if (data.length === 0) return;
      await tx.execute(
        'INSERT INTO log_chunks (job_id, stream, start_offset, end_offset, first_at, last_at, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
        [key.jobId, key.stream, startOffset, end, filled[0]?.at ?? 0, filled.at(-1)?.at ?? 0, data],
      );
    });
    this.watchers.notify(key);
    return end;
  }

  async complete(key: LogKey): Promise<void> {
    await this.db.write(async (tx) => {
      await tx.execute(
        'INSERT INTO log_streams (job_id, stream, closed) VALUES (?, ?, ?) ON CONFLICT (job_id, stream) DO UPDATE SET closed = excluded.closed',
        [key.jobId, key.stream, true],
      );
    });
    this.watchers.notify(key);
  }

  read(key: LogKey, fromOffset: number, maxBytes: number): Promise<LogSlice> {
    return this.db.read(async (tx) => {
      const { end_offset: endOffset, closed: complete } = await streamRow(tx, key);
      const chunks: StoredChunk[] = [];
      let room = maxBytes;
      let from = fromOffset;
      while (room > 0 && from < endOffset) {
        const [row] = await tx.query<ChunkRow>(
          'SELECT start_offset, end_offset, last_at, data FROM log_chunks WHERE job_id = ? AND stream = ? AND end_offset > ? ORDER BY start_offset LIMIT 1',
          [key.jobId, key.stream, from],
        );
        if (!row) break;
        from = Math.max(from, row.start_offset); // what was before it is kept elsewhere
        const payload = row.data.subarray(from - row.start_offset, from - row.start_offset + room);
        chunks.push({ startOffset: from, at: row.last_at, payload });
        room -= payload.length;
        from += payload.length;
      }
      return { chunks, endOffset, complete };
    });
  }

  offsetAfter(key: LogKey, at: number): Promise<number> {
    return this.db.read(async (tx) => {
      const [row] = await tx.query<{ start_offset: number }>(
        'SELECT start_offset FROM log_chunks WHERE job_id = ? AND stream = ? AND last_at > ? ORDER BY start_offset LIMIT 1',
        [key.jobId, key.stream, at],
      );
      return row?.start_offset ?? (await streamRow(tx, key)).end_offset;
    });
  }

  watch(key: LogKey, changed: () => void): () => void {
    const stopLocal = this.watchers.watch(key, changed);
    let timer: Timer;
    const tick = () => {
      changed();
      timer = this.scheduler.after(POLL_MS, tick);
    };
    timer = this.scheduler.after(POLL_MS, tick);
    return () => {
      stopLocal();
      timer.cancel();
    };
  }

  async deleteRun(_projectName: string, _runName: string, jobIds: readonly string[]): Promise<void> {
    await this.db.write(async (tx) => {
      for (const jobId of jobIds) {
        await tx.execute('DELETE FROM log_chunks WHERE job_id = ?', [jobId]);
        await tx.execute('DELETE FROM log_segments WHERE job_id = ?', [jobId]);
        await tx.execute('DELETE FROM log_streams WHERE job_id = ?', [jobId]);
      }
    });
  }

  async close(): Promise<void> {
    // The database is not this store's to close.
  }
}

async function streamRow(tx: ReadTx, key: LogKey): Promise<{ end_offset: number; closed: boolean }> {
  const streams = await streamsOfJob(tx, key.jobId);
  return streams.find(({ stream }) => stream === key.stream) ?? { end_offset: 0, closed: false };
}

interface StreamRow {
  readonly job_id: string;
  readonly stream: string;
  readonly end_offset: number;
  readonly closed: boolean;
}

const streamsOfJob = rowsByKey<StreamRow, StreamRow>({
  select: 'SELECT job_id, stream, end_offset, closed FROM log_streams',
  key: 'job_id',
  read: (_tx, row) => row,
});
