import { randomUUID } from 'node:crypto';
import type { HttpAgentClient, JobStart, JobState, LogStream } from '@dstack/agent-protocol';

/** A process job that runs `script` with sh. */
export function processJob(script: string, more: Partial<JobStart> = {}): JobStart {
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
    ...more,
  };
}

export async function waitFor(
  client: HttpAgentClient,
  jobId: string,
  wanted: (state: JobState) => boolean,
): Promise<JobState> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(40_000)]);
  try {
    for await (const event of client.events(signal)) {
      const states = event.type === 'snapshot' ? event.jobs : event.type === 'job' ? [event.job] : [];
      for (const state of states) {
        if (state.id !== jobId) continue;
        if (wanted(state)) return state;
        if (state.phase === 'finished') throw new Error(`it finished: ${JSON.stringify(state)}`);
      }
    }
  } finally {
    stop.abort();
  }
  throw new Error('the agent went away');
}

export const hasEnded = (state: JobState): boolean => state.phase === 'finished';
export const canBeEntered = (state: JobState): boolean => state.phase === 'running' && state.sshPort !== undefined;

/** All of a finished job's log. */
export async function readLog(client: HttpAgentClient, jobId: string, stream: LogStream = 'job'): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const frame of client.logs(jobId, stream, 0, 16 * 1024 * 1024, AbortSignal.timeout(20_000))) {
    pieces.push(frame.payload);
  }
  return Buffer.concat(pieces).toString();
}
