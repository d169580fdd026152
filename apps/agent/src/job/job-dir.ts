import { join } from 'node:path';

/** The flat directory a job's two sides share. */
export function jobDirPaths(dir: string) {
  return {
    dir,
    socket: join(dir, 'job.sock'),
    spec: join(dir, 'spec.json'),
    context: join(dir, 'context.json'),
    state: join(dir, 'state.json'),
    epoch: join(dir, 'epoch'),
    hostKey: join(dir, 'ssh-host-key'),
    agentLog: join(dir, 'agent.log'),
  };
}
