import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobStart } from '@dstack/agent-protocol';
import { type Cgroup, cgroupDirs, childCgroup } from './cgroup.js';
import { limitWrites } from './cgroup-limits.js';
import { findCgroup } from './find-cgroup.js';

const REMOVE_TRIES = 50;
const REMOVE_RETRY_MS = 20;

/** Control groups for process jobs of a root agent: what bounds them and measures them. */
export class JobCgroups {
  private constructor(private readonly parent: Cgroup) {}

  /** Undefined where this agent cannot make any. */
  static async open(agentId: string): Promise<JobCgroups | undefined> {
    if (process.getuid?.() !== 0) return undefined;
    const [mounts = '', own = ''] = await Promise.all(
      ['/proc/self/mountinfo', '/proc/self/cgroup'].map((path) => readFile(path, 'utf8')),
    );
    const root = findCgroup(mounts, own);
    return root === undefined ? undefined : JobCgroups.below(root, agentId);
  }

  static async below(root: Cgroup, agentId: string): Promise<JobCgroups | undefined> {
    const parent = childCgroup(root, `dstack-${agentId.slice(0, 8)}`);
    try {
      if (root.version === 2) await giveControllers(root.dir);
      for (const dir of cgroupDirs(parent)) await mkdir(dir, { recursive: true });
      if (parent.version === 2) await giveControllers(parent.dir);
      return new JobCgroups(parent);
    } catch {
      // Read-only, or not ours to divide: a container's, say.
      return undefined;
    }
  }

  /** @throws when the kernel does not take a limit */
  async make(jobId: string, limits: JobStart['limits']): Promise<Cgroup> {
    const cgroup = childCgroup(this.parent, jobId);
    for (const dir of cgroupDirs(cgroup)) await mkdir(dir, { recursive: true });
    for (const { path, value, isOptional } of limitWrites(cgroup, limits ?? {})) {
      await writeFile(path, value).catch((error: unknown) => {
        if (!isOptional) throw error;
      });
    }
    return cgroup;
  }

  async add(cgroup: Cgroup, pid: number): Promise<void> {
    for (const dir of cgroupDirs(cgroup)) await writeFile(`${dir}/cgroup.procs`, String(pid));
  }

  /** Removes the groups of jobs that are no more; those with processes in them stay. */
  async prune(liveJobIds: ReadonlySet<string>): Promise<void> {
    for (const dir of cgroupDirs(this.parent)) {
      const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (entry.isDirectory() && !liveJobIds.has(entry.name))
          await rmdir(`${dir}/${entry.name}`).catch(() => undefined);
      }
    }
  }

  /** For an agent that ends; while there are jobs there is something to keep. */
  async close(): Promise<void> {
    for (const dir of cgroupDirs(this.parent)) await rmdir(dir).catch(() => undefined);
  }
}

/** Its processes have been killed; the kernel needs a moment to see them off. */
export async function removeCgroup(cgroup: Cgroup): Promise<void> {
  for (const dir of cgroupDirs(cgroup)) {
    for (let left = REMOVE_TRIES; left > 0; left--) {
      const error = await rmdir(dir).then(
        () => undefined,
        (caught: unknown) => caught as NodeJS.ErrnoException,
      );
      if (error === undefined || error.code === 'ENOENT') break;
      if (left === 1) process.stderr.write(`control group ${basename(dir)} is not empty: ${error.message}\n`);
      await delay(REMOVE_RETRY_MS);
    }
  }
}

async function giveControllers(dir: string): Promise<void> {
  await writeFile(`${dir}/cgroup.subtree_control`, '+cpu +memory');
}
