import {
  type AgentApi,
  type AgentInfo,
  AgentRequestError,
  type ControlEvent,
  type JobState,
  type LogFrame,
} from '@dstack/agent-protocol';
import { AgentConnector, type AgentTarget, type ConnectedAgent } from '@dstack/server/parts';

const HEARTBEAT_MS = 5_000;

/** Agents in the server's own process, one for each machine it connects to. They outlive a connection, not the process. */
export class StandInConnector extends AgentConnector {
  private readonly agents = new Map<string, StandInAgent>();

  override async connect({ address }: AgentTarget): Promise<ConnectedAgent> {
    const name = address.via === 'unix' ? address.socketPath : '';
    const agent = this.agents.get(name) ?? new StandInAgent(name);
    this.agents.set(name, agent);
    return { api: agent, close: () => undefined };
  }
}

/** Runs whatever it is sent from the next moment on until it is stopped; prints nothing. What it was sent before its time, it has. */
class StandInAgent implements AgentApi {
  private readonly jobs = new Map<string, JobState>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly name: string) {}

  async info(): Promise<AgentInfo> {
    return infoOf(this.name);
  }

  async desire(jobIds: readonly string[]): Promise<{ readonly missing: readonly string[] }> {
    for (const id of jobIds) if (!this.jobs.has(id)) this.jobs.set(id, running(id));
    return { missing: [] };
  }

  async start({ id }: { readonly id: string }): Promise<JobState> {
    const known = this.jobs.get(id);
    if (known !== undefined) return known;
    const preparing: JobState = { id, revision: 1, phase: 'preparing', phaseAt: Date.now() };
    this.jobs.set(id, preparing);
    setImmediate(() => this.set(running(id)));
    return preparing;
  }

  async uploadBlob(): Promise<void> {
    // Nothing is asked for.
  }

  async stop(jobId: string): Promise<JobState> {
    const job = this.jobs.get(jobId);
    if (job === undefined) throw new AgentRequestError(404, 'not_found', `no job ${jobId}`);
    const now = Date.now();
    this.set({
      ...job,
      revision: 3,
      phase: 'finished',
      phaseAt: now,
      finishedAt: now,
      exitStatus: 0,
      reason: 'terminated_by_user',
      logEnd: { job: 0, runner: 0 },
    });
    return this.jobs.get(jobId) ?? job;
  }

  async remove(jobId: string): Promise<void> {
    this.jobs.delete(jobId);
    this.changed();
  }

  async *events(signal: AbortSignal): AsyncGenerator<ControlEvent> {
    const told = new Map<string, number>();
    const fresh = (): JobState[] => {
      const states = [...this.jobs.values()].filter(({ id, revision }) => (told.get(id) ?? 0) < revision);
      for (const { id, revision } of states) told.set(id, revision);
      return states;
    };
    yield { type: 'snapshot', at: Date.now(), jobs: fresh() };
    for (;;) {
      const isSilent = await this.nextChange(signal, HEARTBEAT_MS);
      for (const job of fresh()) yield { type: 'job', at: Date.now(), job };
      if (isSilent) yield { type: 'heartbeat', at: Date.now() };
    }
  }

  async *logs(
    jobId: string,
    _stream: string,
    _offset: number,
    _window: number,
    signal: AbortSignal,
  ): AsyncGenerator<LogFrame> {
    while ((this.jobs.get(jobId)?.phase ?? 'finished') !== 'finished') await this.nextChange(signal, null);
    yield* [];
  }

  async acceptServerConnection(jobId: string): Promise<never> {
    throw new AgentRequestError(404, 'not_found', `no connections from job ${jobId}`);
  }

  async acknowledgeLogs(): Promise<void> {
    // There is none.
  }

  private set(job: JobState): void {
    this.jobs.set(job.id, job);
    this.changed();
  }

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  /** Resolves when something changed (false) or nothing did for so long (true). */
  private nextChange(signal: AbortSignal, limitMs: number | null): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (finish: () => void): void => {
        if (timer !== null) clearTimeout(timer);
        this.listeners.delete(onChange);
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      const onChange = (): void => end(() => resolve(false));
      const onAbort = (): void => end(() => reject(new Error('the connection is over')));
      const timer = limitMs === null ? null : setTimeout(() => end(() => resolve(true)), limitMs);
      this.listeners.add(onChange);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }
}

function running(id: string): JobState {
  const now = Date.now();
  return { id, revision: 2, phase: 'running', phaseAt: now, runningAt: now };
}

function infoOf(name: string): AgentInfo {
  return {
    service: 'dstack-agent',
    version: '0.1.0',
    protocol: { min: 1, max: 1 },
    agentId: name,
    startedAt: 0,
    host: {
      arch: 'x86',
      cpus: 2,
      memoryBytes: 8 * 1024 ** 3,
      diskFreeBytes: 100 * 1024 ** 3,
      gpus: [],
      addresses: [],
      hostname: name,
    },
    runtimes: {
      process: { available: true, detail: 'stand-in' },
      container: { available: true, detail: 'stand-in' },
    },
  };
}
