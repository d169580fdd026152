import {
  type AgentApi,
  type AgentInfo,
  AgentRequestError,
  AgentUnreachableError,
  type ControlEvent,
  type JobStart,
  type JobState,
  type LogFrame,
  type LogStream,
  StaleEpochError,
} from '@dstack/agent-protocol';
import type { Faults } from './faults.js';
import type { RandomSource } from './random-source.js';
import type { ServerEpoch } from './server-epoch.js';
import { asError } from './server-epoch.js';
import { SimulatedJob, type SpoolWatch } from './simulated-job.js';
import type { Story } from './story.js';
import type { VirtualTime } from './virtual-time.js';

const HEARTBEAT_MS = 5_000;
const FRAME_BYTES = 300;

/** One way from one server to the agent; it breaks as a whole. */
class Link {
  broken: Error | null = null;
  readonly waiting = new Set<() => void>();

  break(error: Error): void {
    this.broken ??= error;
    this.wake();
  }

  assertWhole(): void {
    if (this.broken !== null) throw this.broken;
  }

  wake(): void {
    const tasks = [...this.waiting];
    this.waiting.clear();
    for (const task of tasks) task();
  }
}

/** The agent of one host: keeps its promises, but restarts, loses connections and forgets to answer. */
export class SimulatedAgent {
  private readonly jobs = new Map<string, SimulatedJob>();
  private readonly links = new Set<Link>();
  private readonly startedAt: number;
  private highestEpoch = 0;
  private isUp = false;
  private isReachable = true;
  private isDestroyed = false;

  constructor(
    private readonly id: string,
    private readonly time: VirtualTime,
    private readonly random: RandomSource,
    private readonly faults: Faults,
    private readonly story: Story,
    private readonly spools: SpoolWatch,
  ) {
    this.startedAt = time.now();
  }

  get isAway(): boolean {
    return !this.isReachable;
  }

  get unfinishedJobIds(): string[] {
    if (this.isDestroyed) return [];
    return [...this.jobs.values()].filter((job) => !job.isFinished).map((job) => job.start.id);
  }

  start(): void {
    if (this.isDestroyed) return;
    this.isUp = true;
    if (Number.isFinite(this.faults.agentTroubleMs)) this.planTrouble();
  }

  /** The machine is gone, and with it the agent, its jobs and what they printed. */
  destroy(): void {
    this.isDestroyed = true;
    this.isUp = false;
    for (const job of this.jobs.values()) job.remove();
    this.breakLinks('the machine is gone');
  }

  connect(connectionEpoch: number, server: ServerEpoch): { api: AgentApi; close(): void } {
    const link = new Link();
    this.links.add(link);
    const close = (): void => {
      link.break(new AgentUnreachableError('the connection was closed'));
      this.links.delete(link);
    };
    return { api: this.apiOf(link, connectionEpoch, server), close };
  }

  private apiOf(link: Link, epoch: number, server: ServerEpoch): AgentApi {
    const ask = <T>(name: string, signal: AbortSignal, effect: () => T): Promise<T> =>
      this.ask(link, epoch, server, `${this.id} ${name}`, signal, effect);
    return {
      info: (signal) => ask('info', signal, () => this.info()),
      desire: (jobIds, signal) => ask('desire', signal, () => ({ missing: this.desire(jobIds) })),
      start: (job, signal) => ask(`start ${job.id}`, signal, () => this.startJob(job)),
      uploadBlob: (_jobId, _sha256, _content, signal) => ask('upload', signal, () => undefined),
      stop: (jobId, request, signal) =>
        ask(`stop ${jobId} (${request.mode})`, signal, () => {
          const job = this.known(jobId);
          job.stop(request);
          return job.state;
        }),
      remove: (jobId, signal) => ask(`remove ${jobId}`, signal, () => this.removeJob(jobId)),
      events: (signal) => this.events(link, epoch, server, signal),
      logs: (jobId, stream, offset, windowBytes, signal) =>
        this.logs(link, server, { jobId, stream, offset, windowBytes, signal }),
      // Simulated jobs ask nothing of the server.
      acceptServerConnection: (jobId, signal) =>
        ask('accept', signal, () => {
          throw new AgentRequestError(404, 'not_found', `no connections from job ${jobId}`);
        }),
      acknowledgeLogs: (jobId, stream, offset, signal) =>
        ask(`acknowledge ${jobId} ${stream} ${offset}`, signal, () => this.acknowledge(jobId, stream, offset)),
    };
  }

  private async ask<T>(
    link: Link,
    epoch: number,
    server: ServerEpoch,
    name: string,
    signal: AbortSignal,
    effect: () => T,
  ): Promise<T> {
    await server.pass(`before ${name}`);
    await server.sleep(this.random.between(1, 60), signal);
    if (!this.isUp || !this.isReachable || this.random.chance(this.faults.lostRequest)) {
      return this.silence(link, server, name, 'is not reached', signal);
    }
    link.assertWhole();
    if (epoch < this.highestEpoch) throw new StaleEpochError(this.highestEpoch);
    this.highestEpoch = epoch;
    const result = effect();
    await server.pass(`between ${name} and its answer`);
    if (this.random.chance(this.faults.lostReply)) return this.silence(link, server, name, 'loses its answer', signal);
    await server.sleep(this.random.between(1, 60), signal);
    link.assertWhole();
    await server.pass(`after ${name}`);
    return result;
  }

  private async silence(
    link: Link,
    server: ServerEpoch,
    name: string,
    what: string,
    signal: AbortSignal,
  ): Promise<never> {
    this.story.tell(`agent: ${name} ${what}`);
    await server.sleep(this.random.between(500, 10_000), signal);
    throw link.broken ?? new AgentUnreachableError(`no answer to ${name}`);
  }

  private known(jobId: string): SimulatedJob {
    const job = this.jobs.get(jobId);
    if (job === undefined) throw new AgentRequestError(404, 'not_found', `no job ${jobId}`);
    return job;
  }

  private startJob(start: JobStart): JobState {
    const known = this.jobs.get(start.id);
    if (known !== undefined) return known.state;
    this.story.tell(`agent: ${this.id} starts ${start.id}`);
    const job = new SimulatedJob(start, this.time, this.random, () => this.wakeLinks(), this.spools);
    this.jobs.set(start.id, job);
    return job.state;
  }

  private removeJob(jobId: string): void {
    this.jobs.get(jobId)?.remove();
    if (this.jobs.delete(jobId)) this.story.tell(`agent: ${this.id} removes ${jobId}`);
    this.wakeLinks();
  }

  private desire(jobIds: readonly string[]): string[] {
    for (const id of [...this.jobs.keys()]) if (!jobIds.includes(id)) this.removeJob(id);
    return jobIds.filter((id) => !this.jobs.has(id));
  }

  private acknowledge(jobId: string, stream: LogStream, offset: number): void {
    const spool = this.known(jobId).spools[stream];
    this.spools.acknowledged(spool, offset);
    spool.acknowledged = Math.max(spool.acknowledged, offset);
    this.wakeLinks();
  }

  private async *events(
    link: Link,
    epoch: number,
    server: ServerEpoch,
    signal: AbortSignal,
  ): AsyncGenerator<ControlEvent> {
    await server.sleep(this.random.between(1, 60), signal);
    this.checkOpen(link);
    if (epoch < this.highestEpoch) throw new StaleEpochError(this.highestEpoch);
    const told = new Map<string, number>();
    const changed = (): JobState[] => {
      const states = [...this.jobs.values()].map((job) => job.state);
      const fresh = states.filter((state) => (told.get(state.id) ?? 0) < state.revision);
      for (const state of fresh) told.set(state.id, state.revision);
      return fresh;
    };
    yield { type: 'snapshot', at: this.time.now(), jobs: changed() };
    for (;;) {
      const states = changed();
      for (const job of states) yield { type: 'job', at: this.time.now(), job };
      if (states.length > 0) continue;
      const isSilent = await this.change(link, server, signal, HEARTBEAT_MS);
      if (isSilent) yield { type: 'heartbeat', at: this.time.now() };
      await server.sleep(this.random.between(1, 60), signal);
      this.checkOpen(link);
    }
  }

  private async *logs(
    link: Link,
    server: ServerEpoch,
    ask: { jobId: string; stream: LogStream; offset: number; windowBytes: number; signal: AbortSignal },
  ): AsyncGenerator<LogFrame> {
    const { jobId, stream, signal, windowBytes } = ask;
    await server.sleep(this.random.between(1, 60), signal);
    let at = ask.offset;
    for (;;) {
      this.checkOpen(link);
      const job = this.known(jobId);
      const spool = job.spools[stream];
      const { content } = spool;
      const end = Math.min(content.length, at + this.random.whole(1, FRAME_BYTES), spool.acknowledged + windowBytes);
      if (end > at) {
        const payload = content.subarray(at, end);
        at = end;
        yield { endOffset: end, at: this.time.now(), payload };
      } else if (job.isFinished && at >= content.length) return;
      else await this.change(link, server, signal, 60_000);
      await server.sleep(this.random.between(1, 30), signal);
    }
  }

  private checkOpen(link: Link): void {
    link.assertWhole();
    if (!this.isUp) throw new AgentUnreachableError('connection refused');
  }

  /** Resolves when something changed (false) or after the time (true); only for a living server. */
  private change(link: Link, server: ServerEpoch, signal: AbortSignal, limitMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(asError(signal.reason));
      const end = (finish: () => void): void => {
        timer.cancel();
        link.waiting.delete(onChange);
        signal.removeEventListener('abort', onAbort);
        if (!server.isDead) finish();
      };
      const onChange = (): void => end(() => resolve(false));
      const onAbort = (): void => end(() => reject(asError(signal.reason)));
      const timer = this.time.after(limitMs, () => end(() => resolve(true)));
      link.waiting.add(onChange);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  private wakeLinks(): void {
    for (const link of this.links) link.wake();
  }

  private breakLinks(why: string): void {
    for (const link of this.links) link.break(new AgentUnreachableError(why));
    this.links.clear();
  }

  private planTrouble(): void {
    this.time.after(this.random.between(1_000, 2 * this.faults.agentTroubleMs), () => {
      if (this.isDestroyed) return;
      this.trouble();
      this.planTrouble();
    });
  }

  private trouble(): void {
    const kind = this.random.pick(['restart', 'cut', 'cut', 'partition'] as const);
    this.story.tell(`agent: ${this.id} ${kind}`);
    this.breakLinks(kind);
    if (kind === 'restart') {
      this.isUp = false;
      this.time.after(this.random.between(500, 15_000), () => (this.isUp = !this.isDestroyed));
    }
    if (kind === 'partition') {
      this.isReachable = false;
      this.time.after(this.random.between(5_000, 200_000), () => (this.isReachable = true));
    }
  }

  private info(): AgentInfo {
    return {
      service: 'dstack-agent',
      version: '0.1.0',
      protocol: { min: 1, max: 1 },
      agentId: this.id,
      startedAt: this.startedAt,
      host: {
        arch: 'x86',
        cpus: 8,
        memoryBytes: 32 * 1024 ** 3,
        diskFreeBytes: 100 * 1024 ** 3,
        gpus: [],
        addresses: [],
        hostname: this.id,
      },
      runtimes: {
        process: { available: true, detail: 'simulated' },
        container: { available: true, detail: 'simulated' },
      },
    };
  }
}
