import { type Cgroup, CONTAINER_CGROUPS } from '../cgroup/cgroup.js';
import { imageVariables } from './image-variables.js';
import { readOwnJson } from '../files/read-own-json.js';

/** What the host side tells the job side about the place it starts it in: `context.json` of the job's directory. */
export interface JobContext {
  readonly runtime: 'process' | 'container';
  /** Where commands start when the job names no working directory. */
  readonly defaultWorkingDir: string;
  /** For the profile, the MPI host file and other things jobs may read: `/dstack` in a container. */
  readonly publicDir: string;
  /** The environment below all others. Unset: the job side's own (a container's). */
  readonly baseEnv?: Readonly<Record<string, string>>;
  /** Variables of the image that were emptied for the agent's own sake. */
  readonly restoredEnv?: Readonly<Record<string, string>>;
  /** In a network namespace of its own: SSH must listen on all of its addresses to be reached. */
  readonly isBridged?: boolean;
  /** The identity commands must have, whatever the job asks for: a process on a host never chooses its user. */
  readonly forcedIdentity?: {
    readonly uid: number;
    readonly gid: number;
    readonly home: string;
    readonly name: string;
  };
  /** A process job's own. */
  readonly cgroup?: Cgroup;
  /** Of the image, for jobs that leave them to it. */
  readonly imageUser?: string;
  readonly imageCommand?: readonly string[];
  /** End with the job: the host side reads the outcome and the logs from the job's directory. */
  readonly exitWhenFinished: boolean;
}

export async function readJobContext(path: string): Promise<JobContext> {
  const written = await readOwnJson(path);
  // Ours, written by the host side of the same version.
  if (typeof written === 'object' && written !== null) return written as JobContext;
  return {
    runtime: 'container',
    defaultWorkingDir: process.cwd(),
    publicDir: '/dstack',
    restoredEnv: imageVariables(process.env),
    exitWhenFinished: false,
  };
}

/** Where a job's usage may be told; the first that is there counts. */
export function cgroupsOf({ runtime, cgroup }: JobContext): readonly Cgroup[] {
  if (runtime === 'container') return CONTAINER_CGROUPS;
  return cgroup === undefined ? [] : [cgroup];
}
