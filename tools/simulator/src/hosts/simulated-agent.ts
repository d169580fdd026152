import {
  type AgentApi,
  type AgentInfo,
  AgentRequestError,
  AgentUnreachableError,
  type ControlEvent,
  type JobState,
  type LogFrame,
  type LogStream,
  StaleEpochError,
} from '@dstack/agent-protocol';
import type { MachineKind } from '@dstack/core';
import { NO_ANSWER } from '../network.js';
import type { ServerEpoch } from '../servers/server-epoch.js';
import type { Surroundings } from '../surroundings.js';
import { WallClock } from '../time/wall-clock.js';
import { AgentJobs } from './agent-jobs.js';
import type { Link } from './link.js';
import { Reach } from './reach.js';

const HEARTBEAT_MS = 5_000;
const FRAME_BYTES = 300;
const TIMEOUT_MS = 10_000;
const WRONG_CLOCK_MS = 300_000;

/** One connection of a server, and what it may do through it. */
interface Session {
  readonly link: Link;
  readonly epoch: number;
  readonly server: ServerEpoch;
}

/** The agent of one host: keeps its promises, but restarts, loses connections and forgets to answer. */
export class SimulatedAgent {
  private readonly jobs: AgentJobs;
  private readonly reach: Reach;
  private readonly clock: WallClock;
  private readonly startedAt: number;
  private highestEpoch = 0;
  private highestLink: Link | null = null;

  constructor(
    private readonly id: string,
    private readonly around: Surroundings,
    kind: MachineKind = 'hosts',
  ) {
    const { random, faults, time } = around;
    const isWrong = random.chance(faults.wrongAgentClock);
    this.clock = new WallClock(time, isWrong ? random.between(-WRONG_CLOCK_MS, WRONG_CLOCK_MS) : 0);
    this.jobs = new AgentJobs(id, kind, around, this.clock, () => this.reach.wake());
    this.reach = new Reach(id, around);
    this.startedAt = this.clock.now();
  }

  get isAway(): boolean {
    return this.reach.isAway;
  }

  get unfinishedJobIds(): readonly string[] {
    return this.reach.isOver ? [] : this.jobs.unfinishedIds;
  }

  start(): void {
    if (this.reach.isOver) return;
    this.reach.start();
    const { random, faults } = this.around;
    if (!random.chance(faults.quietAgent)) this.reach.planTrouble();
  }

  /** The machine is gone, and with it the agent, its jobs and what they printed. */
  destroy(): void {
    this.reach.destroy('the machine is gone');
    this.jobs.destroy();
  }

  connect(epoch: number, server: ServerEpoch): { api: AgentApi; close(): void } {
    const { link, close } = this.reach.open();
    return { api: this.apiOf({ link, epoch, server }), close };
  }

  private apiOf(session: Session): AgentApi {
    const ask = <T>(name: string, signal: AbortSignal, effect: () => T): Promise<T> =>
      this.ask(session, name, signal, effect);
    return {
      info: (signal) => ask('info', signal, () => this.info()),
      desire: (jobIds, signal) => ask('desire', signal, () => ({ missing: this.jobs.desire(jobIds) })),
      start: (job, signal) => ask(`start ${job.id}`, signal, () => this.jobs.start(job)),
      uploadBlob: (_jobId, _sha256, _content, signal) => ask('upload', signal, () => undefined),
      stop: (jobId, request, signal) =>
        ask(`stop ${jobId} (${request.mode})`, signal, () => {
          const job = this.jobs.known(jobId);
          job.stop(request);
          return job.state;
        }),
      remove: (jobId, signal) => ask(`remove ${jobId}`, signal, () => this.jobs.remove(jobId)),
      events: (signal) => this.events(session, signal),
      logs: (jobId, stream, offset, windowBytes, signal) =>
        this.logs(session, { jobId, stream, offset, windowBytes, signal }),
      // Simulated jobs ask nothing of the server.
      acceptServerConnection: (jobId, signal) =>
        ask('accept', signal, () => {
          throw new AgentRequestError(404, 'not_found', `no connections from job ${jobId}`);
        }),
      acknowledgeLogs: (jobId, stream, offset, signal) =>
        ask(`acknowledge ${jobId} ${stream} ${offset}`, signal, () => this.jobs.acknowledge(jobId, stream, offset)),
    };
  }

  private async ask<T>(
    { link, epoch, server }: Session,
    name: string,
    signal: AbortSignal,
    effect: () => T,
  ): Promise<T> {
    const answer = await this.around.network.send({
      name: `${this.id}: ${name}`,
      server,
      signal,
      travelMs: [1, 60],
      answerMs: [1, 60],
      timeoutMs: () => TIMEOUT_MS,
      onTimeout: (what) => new AgentUnreachableError(what),
      isPassedOn: false,
      isRepeatable: false,
      effect: () => {
        if (!this.reach.answers) return NO_ANSWER;
        link.assertWhole();
        this.admit(epoch, link);
        return effect();
      },
    });
    link.assertWhole();
    return answer;
  }

  private admit(epoch: number, link: Link): void {
    if (epoch < this.highestEpoch) throw new StaleEpochError(this.highestEpoch);
    if (epoch === this.highestEpoch && link !== this.highestLink)
      this.around.story.violate(`${this.id}: two connections have the epoch ${epoch}`);
    this.highestEpoch = epoch;
    this.highestLink = link;
  }

  private async *events({ link, epoch, server }: Session, signal: AbortSignal): AsyncGenerator<ControlEvent> {
    const { random, faults } = this.around;
    await server.sleep(random.between(1, 60), signal);
    this.checkOpen(link);
    this.admit(epoch, link);
    const told = new Map<string, JobState>();
    const changed = (): JobState[] =>
      this.jobs.states.filter((state) => (told.get(state.id)?.revision ?? 0) < state.revision);
    const first = changed();
    for (const state of first) told.set(state.id, state);
    yield { type: 'snapshot', at: this.clock.now(), jobs: first };
    for (;;) {
      const states = changed();
      for (const job of states) {
        const before = told.get(job.id);
        told.set(job.id, job);
        yield { type: 'job', at: this.clock.now(), job };
        if (before !== undefined && random.chance(faults.repeatedEvent))
          yield { type: 'job', at: this.clock.now(), job: before };
      }
      if (states.length > 0) continue;
      const isSilent = await link.untilWoken({ time: this.around.time, server, signal, limitMs: HEARTBEAT_MS });
      if (isSilent) yield { type: 'heartbeat', at: this.clock.now() };
      await server.sleep(random.between(1, 60), signal);
      this.checkOpen(link);
    }
  }

  private async *logs(
    { link, server }: Session,
    ask: { jobId: string; stream: LogStream; offset: number; windowBytes: number; signal: AbortSignal },
  ): AsyncGenerator<LogFrame> {
    const { random } = this.around;
    const { jobId, stream, signal, windowBytes } = ask;
    await server.sleep(random.between(1, 60), signal);
    let at = ask.offset;
    for (;;) {
      this.checkOpen(link);
      const job = this.jobs.known(jobId);
      const spool = job.spools[stream];
      const { content } = spool;
      const end = Math.min(content.length, at + random.whole(1, FRAME_BYTES), spool.acknowledged + windowBytes);
      if (end > at) {
        const payload = content.subarray(at, end);
        at = end;
        yield { endOffset: end, at: this.clock.now(), payload };
      } else if (job.isFinished && at >= content.length) return;
      else await link.untilWoken({ time: this.around.time, server, signal, limitMs: 60_000 });
      await server.sleep(random.between(1, 30), signal);
    }
  }

  private checkOpen(link: Link): void {
    link.assertWhole();
    if (!this.reach.isRunning) throw new AgentUnreachableError('connection refused');
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
