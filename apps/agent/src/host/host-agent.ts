import type { Duplex, Readable } from 'node:stream';
import {
  type AgentInfo,
  type DesiredReply,
  type GpuFact,
  type HostHealth,
  type JobMetrics,
  type JobStart,
  type JobState,
  type LogStream,
  PROTOCOL,
  type RuntimeFact,
  type StopRequest,
} from '@dstack/agent-protocol';
import type { HostDoors } from '../doors/host-doors.js';
import type { GpuLock } from '../gpu/gpu-lock.js';
import type { GpuUsage } from '../gpu/gpu-usage.js';
import { type AgentService, ConflictError, UnknownJobError } from '../protocol/agent-service.js';
import type { JobLog } from '../spool/job-log.js';
import { AGENT_VERSION } from '../version.js';
import { collectHostFacts } from './host-facts.js';
import { readRecords } from './job-record.js';
import { ManagedJob } from './managed-job.js';
import type { JobRuntime } from './runtime.js';

export interface HostAgentOptions {
  readonly dir: string;
  readonly agentId: string;
  readonly generation: number;
  readonly now: () => number;
  readonly gpus: readonly GpuFact[];
  readonly gpuLock: GpuLock;
  readonly doors: HostDoors;
  /** Usage of each device by lock id; empty without a tool that tells. */
  readonly measureGpus: () => Promise<ReadonlyMap<string, GpuUsage>>;
  readonly health: () => Promise<HostHealth>;
  readonly processRuntime: JobRuntime;
  /** Undefined, with the reason in `containerFact`, when there is no engine. */
  readonly containerRuntime: () => Promise<JobRuntime | undefined>;
  readonly containerFact: () => Promise<RuntimeFact>;
}

/** The agent of one host: many jobs, each cared for by its {@link ManagedJob}. */
export class HostAgent implements AgentService {
  private readonly managed = new Map<string, ManagedJob>();
  private readonly creating = new Map<string, Promise<ManagedJob>>();
  private readonly removing = new Map<string, Promise<void>>();
  private readonly listeners = new Set<(job: JobState) => void>();
  private readonly startedAt: number;

  private constructor(private readonly options: HostAgentOptions) {
    this.startedAt = options.now();
  }

  static async open(options: HostAgentOptions): Promise<HostAgent> {
    const agent = new HostAgent(options);
    const records = await readRecords(options.dir);
    for (const record of records) {
      const runtime = await agent.runtimeFor(record.job);
      const managed = await ManagedJob.adopt(agent.jobOptions(runtime), record);
      agent.managed.set(record.job.id, managed);
    }
    await options.doors.closeForgotten();
    return agent;
  }

  async info(): Promise<AgentInfo> {
    return {
      service: 'dstack-agent',
      version: AGENT_VERSION,
      protocol: PROTOCOL,
      agentId: this.options.agentId,
      startedAt: this.startedAt,
      host: await collectHostFacts(this.options.dir, this.options.gpus),
      runtimes: {
        process: { available: true, detail: process.getuid?.() === 0 ? 'an uid per job' : 'as the agent’s user' },
        container: await this.options.containerFact(),
      },
    };
  }

  async desire(jobIds: readonly string[]): Promise<DesiredReply> {
    const wanted = new Set(jobIds);
    const surplus = [...this.managed.keys()].filter((id) => !wanted.has(id));
    await Promise.all(surplus.map((id) => this.remove(id)));
    return { missing: jobIds.filter((id) => !this.managed.has(id)) };
  }

  async start(job: JobStart): Promise<JobState> {
    const known = this.managed.get(job.id);
    if (known !== undefined) return known.state;
    if (this.removing.has(job.id)) throw new ConflictError(`job ${job.id} is being removed`);
    let creation = this.creating.get(job.id);
    if (creation === undefined) {
      creation = this.create(job);
      this.creating.set(job.id, creation);
    }
    try {
      return (await creation).state;
    } finally {
      this.creating.delete(job.id);
    }
  }

  async putBlob(jobId: string, sha256: string, content: Readable): Promise<void> {
    await this.require(jobId).putBlob(sha256, content);
  }

  async stop(jobId: string, request: StopRequest): Promise<JobState> {
    return this.require(jobId).stop(request);
  }

  async remove(jobId: string): Promise<void> {
    const underWay = this.removing.get(jobId);
    if (underWay !== undefined) return underWay;
    await this.creating.get(jobId)?.catch(() => undefined);
    const job = this.managed.get(jobId);
    if (job === undefined) return;
    const removal = job.remove().finally(() => {
      this.removing.delete(jobId);
      this.managed.delete(jobId);
    });
    this.removing.set(jobId, removal);
    await removal;
  }

  jobs(): readonly JobState[] {
    return [...this.managed.values()].map((job) => job.state);
  }

  onChange(listener: (job: JobState) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  async metrics(): Promise<readonly { readonly jobId: string; readonly metrics: JobMetrics }[]> {
    const jobs = [...this.managed].filter(([, job]) => job.metrics !== undefined);
    if (jobs.length === 0) return [];
    const usage = jobs.some(([, job]) => job.gpuIds.length > 0)
      ? await this.options.measureGpus()
      : new Map<string, GpuUsage>();
    return jobs.flatMap(([jobId, job]) => {
      const { metrics } = job;
      if (metrics === undefined) return [];
      const gpus = job.gpuIds.flatMap((id) => usage.get(id) ?? []);
      return [{ jobId, metrics: { ...metrics, gpus } }];
    });
  }

  health(): Promise<HostHealth> {
    return this.options.health();
  }

  log(jobId: string, stream: LogStream): JobLog | undefined {
    return this.managed.get(jobId)?.logs[stream];
  }

  async openPort(jobId: string, port: number): Promise<Duplex> {
    return this.require(jobId).openPort(port);
  }

  async acceptServerConnection(jobId: string, signal: AbortSignal): Promise<Duplex> {
    return this.require(jobId).acceptServerConnection(signal);
  }

  /** Jobs go on; the next agent adopts them. */
  detach(): void {
    for (const job of this.managed.values()) job.detach();
  }

  uidsInUse(): Set<number> {
    return new Set([...this.managed.values()].flatMap((job) => job.uid ?? []));
  }

  private async create(job: JobStart): Promise<ManagedJob> {
    const runtime = await this.runtimeFor(job);
    const managed = await ManagedJob.create(this.jobOptions(runtime), job);
    this.managed.set(job.id, managed);
    return managed;
  }

  private async runtimeFor(job: JobStart): Promise<JobRuntime> {
    if (job.runtime === 'process') return this.options.processRuntime;
    const runtime = await this.options.containerRuntime();
    if (runtime !== undefined) return runtime;
    const { detail } = await this.options.containerFact();
    throw new ConflictError(`this host cannot run containers: ${detail}`);
  }

  private jobOptions(runtime: JobRuntime) {
    const { dir, gpuLock: gpus, doors, generation, now } = this.options;
    const onChange = (state: JobState): void => {
      for (const listener of this.listeners) listener(state);
    };
    return { dir, runtime, gpus, doors, generation, now, onChange };
  }

  private require(jobId: string): ManagedJob {
    const job = this.managed.get(jobId);
    if (job === undefined) throw new UnknownJobError(jobId);
    return job;
  }
}
