import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LogStream } from '@dstack/agent-protocol';
import type { LogChunk, LogKey, LogStore } from '../../logs/log-store.js';
import type { SqliteConnection } from '../../persistence/sqlite-connection.js';
import { OperationError } from '../operation-error.js';

const STREAMS: readonly LogStream[] = ['job', 'runner'];
const SLICE_BYTES = 256 * 1024;
/** What is written within this time is told as written at its end. */
const SAME_TIME_MS = 1_000;

export interface LogCopy {
  readonly source: LogStore;
  readonly target: LogStore;
  readonly key: LogKey;
}

/** The logs that there are files of: of all jobs, also those of projects that were deleted. */
export function storedLogs(database: SqliteConnection, serverDir: string): LogKey[] {
  const jobs = database
    .prepare(
      `SELECT j.id AS "jobId", r.name AS "runName", coalesce(p.original_name, p.name) AS "projectName"
       FROM jobs j JOIN runs r ON r.id = j.run_id JOIN projects p ON p.id = j.project_id ORDER BY j.id`,
    )
    .all() as Omit<LogKey, 'stream'>[];
  return jobs
    .flatMap((job) => STREAMS.map((stream) => ({ ...job, stream })))
    .filter(({ projectName, runName, jobId, stream }) =>
      existsSync(join(serverDir, 'projects', projectName, 'logs', runName, jobId, `${stream}.idx`)),
    );
}

/** Goes on where the target ends. */
export async function copyStoredLog({ source, target, key }: LogCopy): Promise<number> {
  let end = await target.endOffset(key);
  for (;;) {
    const { chunks, endOffset, complete } = await source.read(key, end, SLICE_BYTES);
    const [first] = chunks;
    if (first === undefined) {
      if (complete && !(await target.read(key, end, 0)).complete) await target.complete(key);
      return endOffset;
    }
    if (first.startOffset !== end)
      throw new OperationError(
        `The log of job ${key.jobId} (${key.stream}) breaks off at byte ${end} of ${endOffset}.`,
      );
    for (const part of ofSameTime(chunks)) end = await target.append(key, end, part);
  }
}

function ofSameTime(chunks: readonly LogChunk[]): LogChunk[][] {
  const parts: LogChunk[][] = [];
  for (const chunk of chunks) {
    const current = parts.at(-1);
    if (current !== undefined && chunk.at - (current[0]?.at ?? 0) <= SAME_TIME_MS) current.push(chunk);
    else parts.push([chunk]);
  }
  return parts;
}

/** @throws {OperationError} when the two differ */
export async function verifyStoredLog({ source, target, key }: LogCopy): Promise<number> {
  const [from, to] = [await digest(source, key), await digest(target, key)];
  if (from.text === to.text) return from.bytes;
  throw new OperationError(
    `The log of job ${key.jobId} (${key.stream}) differs: ${from.text} became ${to.text}. Create a new target database and begin again.`,
  );
}

async function digest(store: LogStore, key: LogKey): Promise<{ readonly text: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (;;) {
    const { chunks, complete } = await store.read(key, bytes, SLICE_BYTES);
    if (chunks.length === 0)
      return { text: `${bytes} bytes, ${hash.digest('hex')}, ${complete ? 'complete' : 'open'}`, bytes };
    for (const { payload } of chunks) {
      hash.update(payload);
      bytes += payload.length;
    }
  }
}
