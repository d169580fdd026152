import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface ProcessDirectories {
  readonly workDir: string;
  readonly home: string;
  /** Where commands start. */
  readonly run: string;
  readonly temporary: string;
  readonly publicDir: string;
}

/** The directories of a process job. Others may pass through `workRoot`, and list nothing; each job's own is closed to the other jobs. */
export async function makeProcessDirectories(
  workRoot: string,
  jobId: string,
  uid: number | undefined,
): Promise<ProcessDirectories> {
  const workDir = join(workRoot, jobId);
  const home = join(workDir, 'home');
  // Not the home itself: a repository is cloned into the working directory, which must be empty, and the home holds its credentials.
  const run = join(home, 'run');
  const temporary = join(workDir, 'tmp');
  const publicDir = join(workDir, 'dstack');
  await mkdir(workRoot, { recursive: true, mode: 0o711 });
  for (const dir of [workDir, home, run, temporary, publicDir]) {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (uid !== undefined) await chown(dir, uid, uid);
  }
  return { workDir, home, run, temporary, publicDir };
}
