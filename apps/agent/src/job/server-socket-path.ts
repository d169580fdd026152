import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobContext } from './job-context.js';

/** In a container, where all of it is the job. */
export const CONTAINER_SOCKET_DIR = '/run/dstack';
const NAME = 'server.sock';

/** Short on a host, as the path of a socket holds 107 bytes only, and work directories lie deep. */
function hostSocketDir(jobId: string): string {
  return join(tmpdir(), `dstack-${jobId}`);
}

export function serverSocketPath(jobId: string, runtime: JobContext['runtime']): string {
  return join(runtime === 'container' ? CONTAINER_SOCKET_DIR : hostSocketDir(jobId), NAME);
}

/** What a job side that was killed has left of it on the host. */
export async function removeServerSocket(jobId: string): Promise<void> {
  await rm(hostSocketDir(jobId), { recursive: true, force: true });
}
