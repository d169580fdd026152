import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import type { JobContext } from '../job/job-context.js';
import { jobDirPaths } from '../job/job-dir.js';
import { removeServerSocket } from '../job/server-socket-path.js';
import { killJobProcesses, signalQuietly } from '../process/job-processes.js';
import { findJobSide } from '../process/find-job-side.js';
import { isSameProcess, readProc } from '../process/proc-table.js';
import { type JobRuntime, LaunchError, type LaunchRequest, type Loss, type RuntimeHandle } from './runtime.js';

export interface ProcessRuntimeOptions {
  /** argv that starts an agent. */
  readonly command: readonly string[];
  /** Parent of the jobs' own directories. */
  readonly workRoot: string;
  /** A free uid for a job; undefined when jobs run as the agent's own user. */
  readonly takeUid: ((jobId: string) => number | undefined) | undefined;
}

const CLEAN_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Jobs as plain processes: a clean environment, a directory and (under a root agent) an uid of their own. */
export class ProcessRuntime implements JobRuntime {
  constructor(private readonly options: ProcessRuntimeOptions) {}

  async launch(request: LaunchRequest): Promise<void> {
    const { job, sharedDir } = request;
    const uid = this.options.takeUid?.(job.id);
    if (this.options.takeUid !== undefined && uid === undefined) {
      throw new LaunchError('executor_error', 'every uid of the range for jobs is taken: widen it with --job-uids');
    }
    const workDir = join(this.options.workRoot, job.id);
    const home = join(workDir, 'home');
    // Not the home itself: a repository is cloned into the working directory, which must be empty, and the home holds its credentials.
    const run = join(home, 'run');
    const temporary = join(workDir, 'tmp');
    const publicDir = join(workDir, 'dstack');
    // Others may pass through these, and list neither; each job's own directory is closed to the other jobs.
    await mkdir(this.options.workRoot, { recursive: true, mode: 0o711 });
    await mkdir(workDir, { recursive: true, mode: 0o700 });
    for (const dir of [home, run, temporary, publicDir]) await mkdir(dir, { recursive: true, mode: 0o700 });
    if (uid !== undefined) for (const dir of [workDir, home, run, temporary, publicDir]) await chown(dir, uid, uid);
    const context: JobContext = {
      runtime: 'process',
      defaultWorkingDir: run,
      publicDir,
      baseEnv: {
        PATH: uid === undefined ? (process.env['PATH'] ?? CLEAN_PATH) : CLEAN_PATH,
        HOME: home,
        TMPDIR: temporary,
        LANG: process.env['LANG'] ?? 'C.UTF-8',
        SHELL: '/bin/sh',
      },
      ...(uid === undefined ? {} : { forcedIdentity: { uid, gid: uid, home } }),
      exitWhenFinished: true,
    };
    const paths = jobDirPaths(sharedDir);
    await writeFileAtomically(paths.context, JSON.stringify(context));
    request.onPhase('starting');
    request.signal.throwIfAborted();
    // The agent before this one may have died between starting it and writing that down.
    const pid = findJobSide(sharedDir) ?? this.spawnJobSide(sharedDir, paths.agentLog);
    const startTicks = readProc(pid)?.startTicks;
    if (startTicks === undefined)
      throw new LaunchError('executor_error', `the job's agent ended at once: see ${paths.agentLog}`);
    await request.onHandle({ kind: 'process', pid, startTicks, workDir, ...(uid === undefined ? {} : { uid }) });
  }

  async isAlive(handle: RuntimeHandle): Promise<boolean> {
    return handle.kind === 'process' && isSameProcess(handle.pid, handle.startTicks);
  }

  async waitGone(handle: RuntimeHandle, signal: AbortSignal): Promise<Loss> {
    // Not our child after a restart, and Linux tells a process's end only to its parent (and to pidfds, which Node has not).
    while (await this.isAlive(handle)) await delay(250, undefined, { signal });
    return { message: "the job's agent process died (killed, out of memory, or the host restarted)" };
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
    await rm(handle.workDir, { recursive: true, force: true, maxRetries: 5 });
    await removeServerSocket(jobId);
  }

  /** Detached, in its own session: it outlives this process. */
  private spawnJobSide(sharedDir: string, logPath: string): number {
    const [file, ...args] = this.options.command;
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
