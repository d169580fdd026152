import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAgentClient, type HttpAgentClient, type JobState } from '@dstack/agent-protocol';
import { eventually } from './eventually.js';

export const MAIN = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'main.js');

/** A real host agent in a directory of its own, that can be killed and started again. */
export class AgentProcess {
  private child: ChildProcess | undefined;
  stderr = '';

  private constructor(
    readonly dir: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly options: readonly string[],
  ) {}

  static async start(env: NodeJS.ProcessEnv = {}, options: readonly string[] = []): Promise<AgentProcess> {
    const agent = new AgentProcess(mkdtempSync(join(tmpdir(), 'agent-')), env, options);
    await agent.launch();
    return agent;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get socket(): string {
    return join(this.dir, 'agent.sock');
  }

  client(epoch = 1): HttpAgentClient {
    return createAgentClient({ connect: this.socket, epoch });
  }

  async launch(): Promise<void> {
    rmSync(this.socket, { force: true });
    const args = [MAIN, 'host', '--dir', this.dir, '--work-dir', this.workDir, ...this.options];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...this.env },
    });
    this.child = child;
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`the agent ended: ${this.stderr}`);
      return existsSync(this.socket) && answers(this.socket);
    });
  }

  get workDir(): string {
    return `${this.dir}-work`;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  /** Removes every job and the agent itself. */
  async close(): Promise<void> {
    const client = this.client(Number.MAX_SAFE_INTEGER);
    await client.desire([], AbortSignal.timeout(20_000)).catch(() => undefined);
    client.close();
    await this.kill('SIGTERM');
    rmSync(this.dir, { recursive: true, force: true });
    rmSync(this.workDir, { recursive: true, force: true });
  }
}

/** A socket is there a moment before anybody listens on it. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => {
      resolve(false);
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** The job's first state for which `wanted` holds, from the control stream. */
export async function waitForState(
  client: HttpAgentClient,
  jobId: string,
  wanted: (state: JobState) => boolean,
  timeoutMs = 20_000,
): Promise<JobState> {
  let last: JobState | undefined;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    for await (const event of client.events(signal)) {
      const states = event.type === 'snapshot' ? event.jobs : event.type === 'job' ? [event.job] : [];
      for (const state of states) {
        if (state.id !== jobId) continue;
        last = state;
        if (wanted(state)) return state;
        if (state.phase === 'finished') throw new Error('it has finished');
      }
    }
  } catch (error) {
    throw new Error(`waited in vain; the last state was ${JSON.stringify(last)}`, { cause: error });
  } finally {
    stop.abort();
  }
  throw new Error('unreachable');
}

export function waitForEnd(client: HttpAgentClient, jobId: string, timeoutMs?: number): Promise<JobState> {
  return waitForState(client, jobId, (state) => state.phase === 'finished', timeoutMs);
}

export async function readLog(client: HttpAgentClient, jobId: string, from = 0): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const frame of client.logs(jobId, 'job', from, 64 * 1024 * 1024, AbortSignal.timeout(30_000))) {
    chunks.push(frame.payload);
  }
  return Buffer.concat(chunks).toString();
}
