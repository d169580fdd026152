import { randomUUID } from 'node:crypto';
import type { JobStart } from '@dstack/agent-protocol';

/** A process job that runs `script` with sh. */
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

/** A container job that runs `script` with the image's sh. */
export function containerJob(image: string, script: string, overrides: Partial<JobStart> = {}): JobStart {
  return processJob(script, {
    runtime: 'container',
    container: { image, privileged: false, network: 'host', mounts: [] },
    ...overrides,
  });
}
