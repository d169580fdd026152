import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobStart } from '@dstack/agent-protocol';
import { type Cgroup, cgroupDirs, childCgroup } from './cgroup.js';
import { limitWrites } from './cgroup-limits.js';
import { findCgroup } from './find-cgroup.js';

const REMOVE_TRIES = 50;
const REMOVE_RETRY_MS = 20;
const PROBE = 'probe';
const PREFIX = 'dstack-';
/** Longer than it takes to put a process into a group that was made for it. */
const ABANDONED_MS = 10 * 60_000;

/** Control groups for process jobs of a root agent: what bounds them and measures them. */
export class JobCgroups {
  private constructor(
    private readonly root: Cgroup,
    private readonly parent: Cgroup,
  ) {}

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
    const cgroups = new JobCgroups(root, childCgroup(root, `${PREFIX}${agentId.slice(0, 8)}`));
    try {
      await removeCgroup(await cgroups.make(PROBE, {}));
      return cgroups;
    } catch {
      // Read-only, or not ours to divide: a container's, say.
      return undefined;
    }
  }

  /** @throws when the kernel does not take a limit */
  async make(jobId: string, limits: JobStart['limits']): Promise<Cgroup> {
    const cgroup = childCgroup(this.parent, jobId);
    for (const dir of cgroupDirs(cgroup)) await mkdir(dir, { recursive: true });
    // The parent comes and goes with the jobs in it.
    if (this.root.version === 2 && this.parent.version === 2) {
      await giveControllers(this.root.dir);
      await giveControllers(this.parent.dir);
    }
    for (const { path, value, isOptional } of limitWrites(cgroup, limits ?? {})) {
      await writeFile(path, value).catch((error: unknown) => {
        if (!isOptional) throw error;
      });
    }
    return cgroup;
  }

  /**
   * Removes the groups of jobs that are no more, and old ones of agents that were killed together with their jobs. One with a process in it
   * cannot be removed.
   */
  async prune(liveJobIds: ReadonlySet<string>, now: number): Promise<void> {
    const own = cgroupDirs(this.parent);
    for (const root of cgroupDirs(this.root)) {
      for (const agent of await directories(root)) {
        if (!basename(agent).startsWith(PREFIX)) continue;
        for (const job of await directories(agent)) {
          const isOver = own.includes(agent)
            ? !liveJobIds.has(basename(job))
            : now - (await madeAt(job)) > ABANDONED_MS;
          if (isOver) await rmdir(job).catch(() => undefined);
        }
        await rmdir(agent).catch(() => undefined);
      }
    }
  }
}

async function directories(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(parent, name));
}

async function madeAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? Infinity;
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
    // The last of an agent's groups takes its parent with it.
    await rmdir(dirname(dir)).catch(() => undefined);
  }
}

async function giveControllers(dir: string): Promise<void> {
  await writeFile(`${dir}/cgroup.subtree_control`, '+cpu +memory');
}
