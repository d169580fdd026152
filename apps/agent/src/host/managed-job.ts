import { mkdir, rm } from 'node:fs/promises';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createAgentClient,
  type HttpAgentClient,
  type JobMetrics,
  type JobStart,
  type JobState,
  type LogStream,
  type StopRequest,
} from '@dstack/agent-protocol';
import type { HostDoors } from '../doors/host-doors.js';
import { JobDoor } from '../doors/job-door.js';
import { ServiceDoor } from '../doors/service-door.js';
import { whenDiskHasRoom } from '../files/when-disk-has-room.js';
import { BlobStore } from '../files/blob-store.js';
import { connectSocket } from '../files/connect-socket.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { jobDirPaths } from '../job/job-dir.js';
import { advanceState, JobStateStore, type JobStatePatch } from '../job/job-state-store.js';
import { neededBlobs } from '../job/needed-blobs.js';
import { ConflictError, UnknownJobError } from '../protocol/agent-service.js';
import { JobLog } from '../spool/job-log.js';
import { findLogEnds } from '../spool/log-ends.js';
import type { GpuLock } from '../gpu/gpu-lock.js';
import { jobPaths, type JobRecord, writeRecord } from './job-record.js';
import { openLaunchLog } from './launch-log.js';
import { patchFromJobSide } from './merge-state.js';
import { type JobRuntime, LaunchError, type RuntimeHandle } from './runtime.js';

export interface ManagedJobOptions {
  readonly dir: string;
  readonly runtime: JobRuntime;
  readonly gpus: GpuLock;
  readonly doors: HostDoors;
  /** Rises with each start of the host side, so that an older one can never command a job side again. */
  readonly generation: number;
  readonly now: () => number;
  readonly onChange: (state: JobState) => void;
}

const RECONNECT_MS = 200;

/** One job as the host side cares for it, from its blobs to its removal; all it must not forget is in its record. */
export class ManagedJob {
  readonly logs: Readonly<Record<LogStream, JobLog>>;
  private readonly paths;
  private readonly side;
  private readonly blobs: BlobStore;
  private readonly client: HttpAgentClient;
  private readonly door: JobDoor;
  private readonly serviceDoor: ServiceDoor;
  private readonly closing = new AbortController();
  private readonly launching = new AbortController();
  private saving: Promise<void> = Promise.resolve();
  private durable: JobState;
  private begun = false;
  private care: Promise<void> = Promise.resolve();
  private lastMetrics: JobMetrics | undefined;

  private constructor(
    private readonly options: ManagedJobOptions,
    private record: JobRecord,
  ) {
    this.durable = record.state;
    this.paths = jobPaths(options.dir, record.job.id);
    this.side = jobDirPaths(this.paths.shared);
    this.blobs = new BlobStore(this.paths.shared);
    this.door = new JobDoor(options.doors, record.job);
    this.serviceDoor = new ServiceDoor(options.doors, record.job, (port) => this.openPort(port));
    this.client = createAgentClient({ connect: () => connectSocket(this.side.socket), epoch: options.generation });
    const log = (stream: LogStream): JobLog =>
      new JobLog(this.paths.shared, stream, () => this.durable.logEnd?.[stream]);
    this.logs = { job: log('job'), runner: log('runner') };
  }

  static async create(options: ManagedJobOptions, job: JobStart): Promise<ManagedJob> {
    const state: JobState = { id: job.id, revision: 1, phase: 'waiting', phaseAt: options.now() };
    const managed = new ManagedJob(options, { job, state, gpuIds: [] });
    await mkdir(managed.paths.shared, { recursive: true, mode: 0o700 });
    await writeFileAtomically(managed.side.spec, JSON.stringify(job));
    await writeRecord(managed.paths.record, managed.record);
    await managed.beginWhenReady();
    return managed;
  }

  /** Goes on where the agent before this one ended. */
  static async adopt(options: ManagedJobOptions, record: JobRecord): Promise<ManagedJob> {
    const managed = new ManagedJob(options, record);
    if (record.state.phase === 'finished') return managed;
    options.gpus.restore(record.job.id, record.gpuIds);
    if (record.handle === undefined) {
      // The agent died before anything was started for it, or while it was: what a half-made launch left is found by its job id.
      await managed.beginWhenReady();
    } else {
      managed.begun = true;
      if (record.state.sshPort !== undefined) await managed.door.open(record.state.sshPort);
      if (record.state.servicePort !== undefined) await managed.openService();
      managed.care = managed.follow(record.handle);
    }
    return managed;
  }

  get state(): JobState {
    return this.durable;
  }

  get metrics(): JobMetrics | undefined {
    return this.durable.phase === 'running' || this.durable.phase === 'stopping' ? this.lastMetrics : undefined;
  }

  get gpuIds(): readonly string[] {
    return this.record.gpuIds;
  }

  get uid(): number | undefined {
    return this.record.handle?.kind === 'process' ? this.record.handle.uid : undefined;
  }

  async putBlob(sha256: string, content: Readable): Promise<void> {
    await this.blobs.put(sha256, content);
    await this.beginWhenReady();
  }

  async stop(request: StopRequest): Promise<JobState> {
    if (this.durable.phase === 'finished') return this.durable;
    await this.change({}, { stop: request });
    if (!this.begun) {
      await this.finish({ reason: request.reason, message: 'stopped before it started' });
    } else if (this.record.handle === undefined || ['preparing', 'pulling', 'creating'].includes(this.durable.phase)) {
      this.launching.abort();
    } else {
      await this.sendStop(request);
    }
    return this.durable;
  }

  async remove(): Promise<void> {
    this.closing.abort();
    this.launching.abort();
    const { handle } = this.record;
    if (handle !== undefined) await this.options.runtime.kill(handle, this.record.job.id);
    await this.care.catch(() => undefined);
    const last = this.record.handle;
    if (last !== undefined) await this.options.runtime.cleanUp(last, this.record.job.id);
    this.client.close();
    await this.door.close();
    await this.serviceDoor.close();
    this.options.gpus.release(this.record.job.id);
    await this.saving.catch(() => undefined);
    await rm(this.paths.jobDir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Leaves the job running, for the next agent. */
  detach(): void {
    this.closing.abort();
    this.client.close();
  }

  openPort(port: number): Promise<Duplex> {
    if (this.durable.phase !== 'running' && this.durable.phase !== 'stopping') {
      throw new ConflictError(`the job is ${this.durable.phase}: its ports answer while it runs`);
    }
    return this.client.openTcp(this.record.job.id, port, this.closing.signal);
  }

  acceptServerConnection(signal: AbortSignal): Promise<Duplex> {
    const { phase } = this.durable;
    if (phase === 'finished') throw new UnknownJobError(this.record.job.id);
    if (phase !== 'running' && phase !== 'stopping')
      throw new ConflictError(`the job is ${phase}, and makes no connections to the server yet`);
    return this.client.acceptServerConnection(this.record.job.id, AbortSignal.any([signal, this.closing.signal]));
  }

  private async beginWhenReady(): Promise<void> {
    if (this.begun || this.durable.phase === 'finished') return;
    const missing = await this.blobs.missing(neededBlobs(this.record.job));
    if (missing.length > 0 || this.begun) return;
    this.begun = true;
    this.care = this.launch();
  }

  private async launch(): Promise<void> {
    const { job } = this.record;
    try {
      await this.change({ phase: 'preparing' });
      const gpuIds = this.options.gpus.acquire(job.id, job.gpuCount);
      await this.change({}, { gpuIds });
      await this.note([...new Set([...(await this.door.problems()), ...(await this.serviceDoor.problems())])]);
      await this.options.runtime.launch({
        job,
        sharedDir: this.paths.shared,
        gpuIds,
        signal: this.launching.signal,
        onPhase: (phase, pull) => {
          void this.change(pull === undefined ? { phase } : { phase, pull });
        },
        onHandle: (handle) => this.change({}, { handle }),
      });
    } catch (error) {
      const { stop } = this.record;
      const message = error instanceof Error ? error.message : String(error);
      if (stop !== undefined) await this.finish({ reason: stop.reason, message: 'stopped before it started' });
      else if (this.closing.signal.aborted) return;
      else await this.finish({ reason: error instanceof LaunchError ? error.reason : 'executor_error', message });
      return;
    }
    const { handle } = this.record;
    if (handle !== undefined) await this.follow(handle);
  }

  /** Until the job side has ended: its states as it tells them, and what it left on disk when it cannot tell any more. */
  private async follow(handle: RuntimeHandle): Promise<void> {
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, this.closing.signal]);
    const following = this.followEvents(handle, signal);
    try {
      const loss = await this.options.runtime.waitGone(handle, this.closing.signal);
      gone.abort();
      await following;
      await this.settle(handle, loss.message);
    } catch (error) {
      gone.abort();
      await following;
      if (this.closing.signal.aborted) return;
      await this.settle(handle, error instanceof Error ? error.message : String(error));
    }
  }

  private async followEvents(handle: RuntimeHandle, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const event of this.client.events(signal)) {
          if (event.type === 'metrics') this.lastMetrics = event.metrics;
          const states = event.type === 'snapshot' ? event.jobs : event.type === 'job' ? [event.job] : [];
          for (const state of states) await this.take(handle, state);
          if (event.type === 'snapshot' && this.record.stop !== undefined) await this.sendStop(this.record.stop);
        }
      } catch {
        await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async take(handle: RuntimeHandle, state: JobState): Promise<void> {
    // The outcome is taken once the job side has ended, so that `finished` means that nothing of the job runs any more.
    if (state.id !== this.record.job.id || state.phase === 'finished') return;
    const published = state.sshPort === undefined ? undefined : await this.options.runtime.publishedSshPort(handle);
    const { servicePort, ...patch } = patchFromJobSide(state, published);
    // Before anybody is told where the job's SSH is.
    if (patch.sshPort !== undefined) await this.door.open(patch.sshPort);
    await this.change(patch);
    if (patch.phase === 'running') await this.openService(servicePort);
  }

  /** @param told by the job side; told on once the way there is open */
  private async openService(told?: number): Promise<void> {
    const servicePort = await this.serviceDoor.open(told ?? this.durable.servicePort);
    if (servicePort !== undefined) await this.change({ servicePort });
  }

  /** In the job's runner log, which is the host side's to write until the job side has begun. */
  private async note(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const log = await openLaunchLog(this.paths.shared, this.options.now);
    for (const line of lines) log.write(line);
    await log.close();
  }

  private async settle(handle: RuntimeHandle, lossMessage: string): Promise<void> {
    const { job } = this.record;
    await this.options.runtime.kill(handle, job.id);
    const last = await JobStateStore.read(this.side.state);
    if (last?.phase === 'finished') {
      await this.finish(patchFromJobSide(last, undefined));
      return;
    }
    const { stop } = this.record;
    const outcome: JobStatePatch =
      stop?.mode === 'kill'
        ? { reason: stop.reason, exitStatus: 137 }
        : { reason: 'executor_error', message: lossMessage };
    await this.finish(last === undefined ? outcome : { ...patchFromJobSide(last, undefined), ...outcome });
  }

  private async finish(patch: JobStatePatch): Promise<void> {
    const { shared } = this.paths;
    // What is on disk, not what the job side said: it may have been killed in the middle of a write, or lie.
    const logEnd = await findLogEnds(shared);
    const { handle, job } = this.record;
    await this.door.close();
    await this.serviceDoor.close();
    if (handle !== undefined) await this.options.runtime.cleanUp(handle, job.id).catch(() => undefined);
    this.options.gpus.release(job.id);
    await this.change({ ...patch, phase: 'finished', finishedAt: patch.finishedAt ?? this.options.now(), logEnd });
  }

  private async sendStop(request: StopRequest): Promise<void> {
    await this.change({ phase: 'stopping' });
    const { handle, job } = this.record;
    await this.client.stop(job.id, request, this.closing.signal).catch(async () => {
      // Not listening (yet): the stop is in the record, and is sent again on each new connection to the job side.
      if (request.mode === 'kill' && handle !== undefined) await this.options.runtime.kill(handle, job.id);
    });
  }

  /** Durable first, then told. */
  private change(patch: JobStatePatch, more: Partial<JobRecord> = {}): Promise<void> {
    const next = advanceState(this.record.state, patch, this.options.now());
    if (next === undefined && Object.keys(more).length === 0) return this.saving;
    const record = { ...this.record, ...more, state: next ?? this.record.state };
    this.record = record;
    this.saving = this.saving.then(async () => {
      await whenDiskHasRoom(() => writeRecord(this.paths.record, record));
      if (next === undefined) return;
      this.durable = next;
      for (const log of Object.values(this.logs)) log.wake();
      this.options.onChange(next);
    });
    return this.saving;
  }
}
