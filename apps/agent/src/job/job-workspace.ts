import { chmod, lchown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobStart } from '@dstack/agent-protocol';
import { assertInside } from '../files/assert-inside.js';
import { makeOwnedDir } from '../files/make-owned-dir.js';
import { buildEnvironment, mpiHostfile, profileText } from './environment.js';
import { identifyJob, type Identified } from './identify.js';
import type { JobContext } from './job-context.js';
import { resolveJobPath } from './resolve-path.js';
import { serverSocketPath } from './server-socket-path.js';

/** Everything about the place a job's commands run in, resolved before anything is done for them. */
export interface JobWorkspace extends Identified {
  readonly workingDir: string;
  readonly repoDir: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Of a job that may reach the server. */
  readonly serverSocket: string | undefined;
  /** Who gets what we create; undefined when it is us anyway. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** The only place we may write for it, having more rights than it has. Unset: anywhere. */
  readonly confinedTo: string | undefined;
}

export async function prepareWorkspace(job: JobStart, context: JobContext): Promise<JobWorkspace> {
  const identified = await identifyJob(job, context);
  const { identity } = identified;
  const homeStat = await stat(identity.home).catch(() => undefined);
  const home = homeStat !== undefined && !homeStat.isDirectory() ? '/' : identity.home;
  const workingDir = resolveJobPath(job.workingDir ?? context.defaultWorkingDir, home, context.defaultWorkingDir);
  const owner = identified.switchUser ? { uid: identity.uid, gid: identity.gid } : undefined;
  const confinedTo = context.forcedIdentity?.home;
  const exists = await stat(workingDir).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!exists) {
    await assertInside(confinedTo, workingDir);
    await makeOwnedDir(workingDir, owner);
  }
  const repoDir = job.repo === undefined ? undefined : resolveJobPath(job.repo.path, home, workingDir);
  const serverSocket = job.serverAccess === true ? serverSocketPath(job.id, context.runtime) : undefined;
  const env = buildEnvironment({
    job,
    base: context.baseEnv ?? { ...process.env, ...context.restoredEnv },
    home,
    userName: identity.name,
    workingDir,
    repoDir,
    publicDir: context.publicDir,
    serverSocket,
  });
  return { ...identified, identity: { ...identity, home }, workingDir, repoDir, env, serverSocket, owner, confinedTo };
}

/** Files for the job to read. Not vital: an image may have a read-only root. */
export async function publishFiles(job: JobStart, context: JobContext, place: JobWorkspace): Promise<void> {
  const mpiDir = join(context.publicDir, 'mpi');
  await mkdir(mpiDir, { recursive: true, mode: 0o755 });
  await writeFile(join(mpiDir, 'hostfile'), mpiHostfile(job), { mode: 0o644 });
  const profile = join(context.publicDir, 'profile');
  await rm(profile, { force: true });
  // It holds the job's secrets, so no other user of the container may read it.
  await writeFile(profile, profileText(place.env), { mode: 0o600, flag: 'wx' });
  await chmod(profile, 0o600);
  if (place.owner !== undefined) await lchown(profile, place.owner.uid, place.owner.gid);
}
