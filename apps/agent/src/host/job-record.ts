import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobStart, JobState, StopRequest } from '@dstack/agent-protocol';
import { readOwnJson } from '../files/read-own-json.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import type { RuntimeHandle } from './runtime.js';

/** What the host side knows of a job, on disk: enough for the next agent to go on. */
export interface JobRecord {
  readonly job: JobStart;
  readonly state: JobState;
  readonly handle?: RuntimeHandle;
  readonly gpuIds: readonly string[];
  readonly stop?: StopRequest;
}

/** `jobs/<id>/record.json` is the host's alone; `jobs/<id>/shared` is what the job side sees, and may be written by the job. */
export function jobPaths(dir: string, jobId: string) {
  const jobDir = join(dir, 'jobs', jobId);
  return { jobDir, record: join(jobDir, 'record.json'), shared: join(jobDir, 'shared') };
}

export async function readRecords(dir: string): Promise<JobRecord[]> {
  const ids = await readdir(join(dir, 'jobs')).catch(() => [] as string[]);
  const records: JobRecord[] = [];
  for (const id of ids) {
    const paths = jobPaths(dir, id);
    const value = await readOwnJson(paths.record);
    // A directory without a record was never promised to anybody: the agent died while it made it.
    if (typeof value === 'object' && value !== null && 'job' in value) records.push(value as JobRecord);
    else await rm(paths.jobDir, { recursive: true, force: true });
  }
  return records;
}

export function writeRecord(path: string, record: JobRecord): Promise<void> {
  return writeFileAtomically(path, JSON.stringify(record));
}
