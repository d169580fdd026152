import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { BackendError } from '@dstack/backend-base';
import type { AgentRecord, InstanceDirectory } from './instance-directory.js';

/** Nothing of the server's environment but what a login would have: it may hold tokens and keys. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'DOCKER_HOST',
  'XDG_RUNTIME_DIR',
];

export interface SpawnOptions {
  readonly quickDeaths: number;
  readonly gpus: readonly number[];
  /** Where jobs have their files; null: below the instance's directory. */
  readonly workDirectory: string | null;
}

/** Starts the agent in its own process group, so that it outlives the server. */
export async function spawnAgent(
  command: readonly string[],
  directory: InstanceDirectory,
  { quickDeaths, gpus, workDirectory }: SpawnOptions,
): Promise<AgentRecord> {
  const [program, ...args] = command;
  if (program === undefined)
    throw new BackendError({ kind: 'rejected', blocks: 'account' }, 'no agent command is configured');
  const workArgs = workDirectory === null ? [] : ['--work-dir', workDirectory];
  const log = await open(directory.logPath, 'a', 0o600);
  try {
    const child = spawn(program, [...args, 'host', '--dir', directory.path, ...workArgs], {
      cwd: directory.path,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: agentEnvironment(gpus),
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', (error) =>
        reject(
          new BackendError({ kind: 'rejected', blocks: 'account' }, `the agent cannot be started: ${error.message}`, {
            cause: error,
          }),
        ),
      );
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    child.unref();
    const record = { pid, startedAs: await startIdentity(pid), spawnedAt: Date.now(), quickDeaths };
    await directory.writeAgent(record);
    return record;
  } finally {
    await log.close();
  }
}

// Several agents share this machine: each may give only the devices of its instance to jobs.
function agentEnvironment(gpus: readonly number[]): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { DSTACK_AGENT_GPUS: gpus.join(',') };
  for (const name of PASSED_ON) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** The ids of the instance's agent that are alive now: the recorded one, and one the agent recorded itself where our record was lost. */
export async function liveAgentPids(directory: InstanceDirectory): Promise<number[]> {
  const recorded = await directory.agent();
  const own = await directory.ownPid();
  const live: number[] = [];
  if (recorded !== null && (await isSameProcess(recorded))) live.push(recorded.pid);
  if (own !== null && !live.includes(own) && (await runsIn(own, directory))) live.push(own);
  return live;
}

async function isSameProcess({ pid, startedAs }: AgentRecord): Promise<boolean> {
  if (!exists(pid)) return false;
  const identity = await startIdentity(pid);
  return startedAs === null || identity === startedAs;
}

async function runsIn(pid: number, directory: InstanceDirectory): Promise<boolean> {
  if (!exists(pid)) return false;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0').includes(directory.path);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Boot and start time of a process: process ids are used again, this is not. Null where the system does not tell (a zombie has
 * ended, only its parent does not know yet, so it has none either).
 */
async function startIdentity(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return 'zombie';
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return `${boot}:${fields[19] ?? ''}`;
  } catch {
    return null;
  }
}

/** To the whole group: what the agent started and did not move elsewhere goes with it. */
export function signalAgent(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const target of signal === 'SIGKILL' ? [-pid, pid] : [pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // Already gone.
    }
  }
}

/** Whether somebody answers at the agent's socket. */
export function answers(socketPath: string, timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const finish = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
