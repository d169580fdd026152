import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { JobCgroups } from '../cgroup/job-cgroups.js';
import { ContainerEngine } from '../docker/container-engine.js';
import { describeEngineError } from '../docker/engine-error.js';
import { HostDoors } from '../doors/host-doors.js';
import { readAgentPid } from './agent-pid.js';
import { jobPaths, type JobRecord, readRecords } from './job-record.js';
import { ProcessRuntime } from './process-runtime.js';
import type { JobRuntime } from './runtime.js';

/**
 * Ends every job that an agent of this directory has had, and removes their processes, containers and files: what comes before the
 * directory itself is removed. What cannot be removed is told, and gives the exit code 1.
 */
export async function runPurge(directory: string): Promise<number> {
  const dir = resolve(directory);
  const running = await readAgentPid(dir);
  if (running !== undefined) throw new Error(`an agent (pid ${running}) still serves this directory: stop it first`);
  const agentId = (await readFile(join(dir, 'state', 'agent-id'), 'utf8').catch(() => '')).trim();
  await new HostDoors().closeForgotten();
  const cgroups = agentId === '' ? undefined : await JobCgroups.open(agentId);
  const engine = engineOf(agentId);
  const runtimes = {
    process: new ProcessRuntime({
      command: [],
      workRoot: join(dir, 'work'),
      takeUid: undefined,
      cgroups,
      gpuEnv: () => ({}),
      now: Date.now,
    }),
    container: await engine.runtime(),
  };
  const problems: string[] = [];
  for (const record of await readRecords(dir)) {
    await purgeJob(dir, record, runtimes[record.job.runtime]).catch((error: unknown) => {
      problems.push(`job ${record.job.jobName}: ${describeEngineError(error)}`);
    });
  }
  if ((await engine.fact()).available) {
    await runtimes.container.removeStrays(new Set()).catch((error: unknown) => {
      problems.push(`containers: ${describeEngineError(error)}`);
    });
  }
  await cgroups?.prune(new Set(), Date.now());
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}

async function purgeJob(dir: string, { job, handle }: JobRecord, runtime: JobRuntime): Promise<void> {
  if (handle !== undefined) {
    await runtime.kill(handle, job.id);
    await runtime.cleanUp(handle, job.id);
  }
  await rm(jobPaths(dir, job.id).jobDir, { recursive: true, force: true, maxRetries: 5 });
}

function engineOf(agentId: string): ContainerEngine {
  return new ContainerEngine({ agentId, folder: undefined, gpuVendor: undefined, now: Date.now, env: process.env });
}
