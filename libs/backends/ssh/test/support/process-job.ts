import { randomUUID } from 'node:crypto';
import type { HttpAgentClient, JobStart } from '@dstack/agent-protocol';

/** A job that runs `script` with sh. */
export function processJob(script: string, overrides: Partial<JobStart> = {}): JobStart {
  return {
    id: randomUUID(),
    runId: randomUUID(),
    runName: 'brave-fox-1',
    projectName: 'main',
    jobName: 'brave-fox-1-0-0',
    runtime: 'process',
    commands: ['/bin/sh', '-c', script],
    env: {},
    files: [],
    gpuCount: 0,
    ssh: { authorizedKeys: [] },
    cluster: { nodesNum: 1, nodeRank: 0, nodesIps: [''], gpusPerNode: 0, gpusNum: 0 },
    repoId: 'none',
    ...overrides,
  };
}

export interface LogReader {
  readonly from: number;
  /** Ends the reading before the log does. */
  readonly until?: string;
  readonly signal: AbortSignal;
}

/** What the job has printed from an offset on, and the offset it ends at. */
export async function readLog(
  client: HttpAgentClient,
  jobId: string,
  { from, until, signal }: LogReader,
): Promise<{ text: string; end: number }> {
  let text = '';
  let end = from;
  for await (const frame of client.logs(jobId, 'job', from, 64 * 1024 * 1024, signal)) {
    text += Buffer.from(frame.payload).toString();
    end = frame.endOffset;
    if (until !== undefined && text.includes(until)) break;
  }
  return { text, end };
}
