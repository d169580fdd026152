import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cgroup } from '../cgroup/cgroup.js';
import { enterCgroup } from '../cgroup/enter-cgroup.js';
import { countOomKills } from '../cgroup/count-oom-kills.js';
import { type JobCgroups, removeCgroup } from '../cgroup/job-cgroups.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import type { JobContext } from '../job/job-context.js';
import { jobDirPaths } from '../job/job-dir.js';
import { OUT_OF_MEMORY } from '../job/outcome.js';
import { removeServerSocket } from '../job/server-socket-path.js';
import { killJobProcesses, signalQuietly } from '../process/job-processes.js';
import { findJobSide } from '../process/find-job-side.js';
import { isSameProcess, readProc } from '../process/proc-table.js';
import { lastWords } from './last-words.js';
import { openLaunchLog } from './launch-log.js';
import { makePrivateUsers, whyNoPrivateUsers } from './private-users.js';
import { makeProcessDirectories, type ProcessDirectories } from './process-directories.js';
import { type JobRuntime, LaunchError, type LaunchRequest, type Loss, type RuntimeHandle } from './runtime.js';

export interface ProcessRuntimeOptions {
  /** argv that starts an agent. */
  readonly command: readonly string[];
  /** Parent of the jobs' own directories. */
  readonly workRoot: string;
  /** A free uid for a job; undefined when jobs run as the agent's own user. */
  readonly takeUid: ((jobId: string) => number | undefined) | undefined;
  /** Undefined where this agent cannot make any. */
  readonly cgroups: JobCgroups | undefined;
  /** Variables that tell a job which GPUs are its own. */
  readonly gpuEnv: (gpuIds: readonly string[]) => Readonly<Record<string, string>>;
  readonly now: () => number;
}

interface ProcessPlace {
  readonly dirs: ProcessDirectories;
  readonly uid: number | undefined;
  /** Of the user, where it has one. */
  readonly name: string | undefined;
  readonly cgroup: Cgroup | undefined;
}

const DIED = "the job's agent process died (killed, out of memory, or the host restarted)";
const CLEAN_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Jobs as plain processes: a clean environment, a directory and (under a root agent) an uid of their own. */
export class ProcessRuntime implements JobRuntime {
  constructor(private readonly options: ProcessRuntimeOptions) {}

  async launch(request: LaunchRequest): Promise<void> {
    const { job, sharedDir, gpuIds } = request;
    const uid = this.options.takeUid?.(job.id);
    if (this.options.takeUid !== undefined && uid === undefined) {
      throw new LaunchError('executor_error', 'every uid of the range for jobs is taken: widen it with --job-uids');
    }
    const dirs = await makeProcessDirectories(this.options.workRoot, job.id, uid);
    const notes: string[] = [];
    const cgroup = await this.makeCgroup(request, notes);
    const users = uid === undefined ? undefined : await nameUser(sharedDir, uid, dirs.home, notes);
    await this.tell(sharedDir, notes);
    const context = jobContext({ dirs, uid, name: users?.name, cgroup }, this.options.gpuEnv(gpuIds));
    const paths = jobDirPaths(sharedDir);
    await writeFileAtomically(paths.context, JSON.stringify(context));
    request.onPhase('starting');
    request.signal.throwIfAborted();
    // The agent before this one may have died between starting it and writing that down.
    const entry = cgroup === undefined ? [] : enterCgroup(cgroup, job.limits !== undefined);
    const prefix = [...entry, ...(users?.command ?? [])];
    const pid = findJobSide(sharedDir) ?? this.spawnJobSide(sharedDir, paths.agentLog, prefix);
    const startTicks = readProc(pid)?.startTicks;
    if (startTicks === undefined)
      throw new LaunchError('executor_error', `the job's agent ended at once: see ${paths.agentLog}`);
    await request.onHandle({
      kind: 'process',
      pid,
      startTicks,
      workDir: dirs.workDir,
      ...(uid === undefined ? {} : { uid }),
      ...(cgroup === undefined ? {} : { cgroup }),
      agentLog: paths.agentLog,
    });
  }

  async isAlive(handle: RuntimeHandle): Promise<boolean> {
    return handle.kind === 'process' && isSameProcess(handle.pid, handle.startTicks);
  }

  async waitGone(handle: RuntimeHandle, signal: AbortSignal): Promise<Loss> {
    // Not our child after a restart, and Linux tells a process's end only to its parent (and to pidfds, which Node has not).
    while (await this.isAlive(handle)) await delay(250, undefined, { signal });
    if (handle.kind !== 'process') return { message: DIED };
    const { cgroup, agentLog } = handle;
    if (cgroup !== undefined && (await countOomKills(cgroup)) > 0) return { message: OUT_OF_MEMORY };
    const said = agentLog === undefined ? undefined : await lastWords(agentLog);
    return { message: said === undefined ? DIED : `the job's agent process died; it said last: ${said}` };
  }

  async publishedSshPort(): Promise<number | undefined> {
    return undefined;
  }

  async kill(handle: RuntimeHandle, jobId: string): Promise<void> {
    if (handle.kind !== 'process') return;
    if (await this.isAlive(handle)) signalQuietly(handle.pid, 'SIGKILL');
    killJobProcesses({ jobId, ...(handle.uid === undefined ? {} : { ownUid: handle.uid }) });
  }

  async cleanUp(handle: RuntimeHandle, jobId: string): Promise<void> {
    if (handle.kind !== 'process') return;
    await this.kill(handle, jobId);
    if (handle.cgroup !== undefined) await removeCgroup(handle.cgroup);
    await rm(handle.workDir, { recursive: true, force: true, maxRetries: 5 });
    await removeServerSocket(jobId);
  }

  private async makeCgroup({ job }: LaunchRequest, notes: string[]): Promise<Cgroup | undefined> {
    const { cgroups } = this.options;
    const isLimited = job.limits !== undefined;
    if (cgroups === undefined) {
      if (isLimited)
        notes.push("the job's share of processors and memory is not enforced: no control groups can be made");
      return undefined;
    }
    return cgroups.make(job.id, job.limits).catch((error: unknown) => {
      if (isLimited) notes.push(`the job's share of processors and memory is not enforced: ${String(error)}`);
      return undefined;
    });
  }

  private async tell(sharedDir: string, notes: readonly string[]): Promise<void> {
    if (notes.length === 0) return;
    const log = await openLaunchLog(sharedDir, this.options.now);
    for (const note of notes) log.write(note);
    await log.close();
  }

  /** Detached, in its own session: it outlives this process. */
  private spawnJobSide(sharedDir: string, logPath: string, prefix: readonly string[]): number {
    const [file, ...args] = [...prefix, ...this.options.command];
    if (file === undefined) throw new Error('no command to start a job side with');
    const output = openSync(logPath, 'a', 0o600);
    try {
      const child = spawn(file, [...args, 'job', '--dir', sharedDir], {
        detached: true,
        cwd: '/',
        stdio: ['ignore', output, output],
        env: { PATH: CLEAN_PATH, LANG: 'C.UTF-8' },
      });
      // The loss is noticed by pid, as it must be for adopted ones.
      child.on('error', () => undefined);
      child.unref();
      if (child.pid === undefined) throw new LaunchError('executor_error', `${file} cannot be started`);
      return child.pid;
    } finally {
      closeSync(output);
    }
  }
}

function jobContext({ dirs, uid, name, cgroup }: ProcessPlace, gpuEnv: Readonly<Record<string, string>>): JobContext {
  const { home, run, temporary, publicDir } = dirs;
  return {
    runtime: 'process',
    defaultWorkingDir: run,
    publicDir,
    baseEnv: {
      PATH: uid === undefined ? (process.env['PATH'] ?? CLEAN_PATH) : CLEAN_PATH,
      HOME: home,
      TMPDIR: temporary,
      LANG: process.env['LANG'] ?? 'C.UTF-8',
      SHELL: '/bin/sh',
      ...gpuEnv,
    },
    ...(uid === undefined ? {} : { forcedIdentity: { uid, gid: uid, home, name: name ?? String(uid) } }),
    ...(cgroup === undefined ? {} : { cgroup }),
    exitWhenFinished: true,
  };
}

async function nameUser(sharedDir: string, uid: number, home: string, notes: string[]) {
  const why = await whyNoPrivateUsers();
  if (why === undefined) return makePrivateUsers(sharedDir, { uid, gid: uid, home });
  notes.push(`the job's user has a number and no name, which some programs do not like: ${why}`);
  return undefined;
}
