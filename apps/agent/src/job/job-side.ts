import type { Duplex, Readable } from 'node:stream';
import {
  type AgentInfo,
  type DesiredReply,
  type HostHealth,
  type JobMetrics,
  type JobStart,
  type JobState,
  type LogStream,
  parseJobStart,
  PROTOCOL,
  type StopRequest,
} from '@dstack/agent-protocol';
import { hasPortsOfHost } from '../doors/has-ports-of-host.js';
import { PortRelay } from '../doors/port-relay.js';
import { BlobStore } from '../files/blob-store.js';
import { readOwnJson } from '../files/read-own-json.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { collectHostFacts } from '../host/host-facts.js';
import { measureJob } from '../metrics/measure-job.js';
import { type AgentService, ConflictError, UnknownJobError } from '../protocol/agent-service.js';
import { JobLog } from '../spool/job-log.js';
import { DEFAULT_DROP_AFTER_MS, DEFAULT_SPOOL_MAX_BYTES, SpoolWriter } from '../spool/spool-writer.js';
import { findLogEnds } from '../spool/log-ends.js';
import { connectLocally } from './connect-locally.js';
import { AGENT_VERSION } from '../version.js';
import { cgroupsOf, type JobContext, readJobContext } from './job-context.js';
import { jobDirPaths } from './job-dir.js';
import { JobExecution } from './job-execution.js';
import { JobStateStore } from './job-state-store.js';
import { neededBlobs } from './needed-blobs.js';
import { RunnerLog } from './runner-log.js';

const CONNECTIONS_EVERY_MS = 10_000;

/** The agent of one job: beside its commands, in its container or its directory. */
export class JobSide implements AgentService {
  private readonly startedAt: number;
  private job: JobStart | undefined;
  private store: JobStateStore | undefined;
  private current: JobExecution | undefined;
  private beginning: Promise<void> | undefined;
  private countedElsewhere: (() => number) | undefined;
  private pendingStop: StopRequest | undefined;
  private relay: PortRelay | undefined;
  private readonly listeners = new Set<(job: JobState) => void>();
  private readonly logs = new Map<LogStream, JobLog>();
  private readonly blobs: BlobStore;
  private readonly paths;
  private resolveFinished: () => void = () => undefined;
  /** The job's outcome is on disk. */
  readonly finished: Promise<void>;

  private constructor(
    dir: string,
    private readonly context: JobContext,
    private readonly isWholeAgent: boolean,
    private readonly now: () => number,
  ) {
    this.startedAt = now();
    this.paths = jobDirPaths(dir);
    this.blobs = new BlobStore(dir);
    this.finished = new Promise((resolve) => {
      this.resolveFinished = resolve;
    });
  }

  /** Takes up what the directory holds: a job to begin, one already finished, or one an earlier agent here died with. */
  static async open(dir: string, now: () => number, isWholeAgent = false): Promise<JobSide> {
    const side = new JobSide(dir, await readJobContext(jobDirPaths(dir).context), isWholeAgent, now);
    const spec = await readOwnJson(side.paths.spec);
    if (spec !== undefined) await side.takeUp(parseJobStart(spec));
    return side;
  }

  /** What an SSH server in front of this agent serves, as it comes to be. */
  get execution(): JobExecution | undefined {
    return this.current;
  }

  /** An SSH server that is not the job's own sees the logins. */
  countConnections(idleSeconds: () => number): void {
    this.countedElsewhere = idleSeconds;
  }

  /** Public keys that may log in to the job. */
  authorizedKeys(): readonly string[] {
    const { ssh, cluster } = this.job ?? { ssh: { authorizedKeys: [] }, cluster: undefined };
    return cluster?.sshKey === undefined ? ssh.authorizedKeys : [...ssh.authorizedKeys, cluster.sshKey.publicKey];
  }

  /** Open while the job runs. Around other job sides there is a host, whose agent has the door. */
  gatewayDoor(): JobStart['gatewayDoor'] {
    const phase = this.store?.state.phase;
    const isOpen = this.isWholeAgent && (phase === 'running' || phase === 'stopping');
    return isOpen ? this.job?.gatewayDoor : undefined;
  }

  get exitWhenFinished(): boolean {
    return this.context.exitWhenFinished;
  }

  async info(): Promise<AgentInfo> {
    const runtime = { available: this.job === undefined, detail: 'this agent runs one job' };
    return {
      service: 'dstack-agent',
      version: AGENT_VERSION,
      protocol: PROTOCOL,
      agentId: this.job?.id ?? 'job',
      startedAt: this.startedAt,
      host: await collectHostFacts(this.paths.dir, []),
      runtimes: { process: runtime, container: { available: false, detail: 'this agent is inside a container' } },
    };
  }

  async desire(jobIds: readonly string[]): Promise<DesiredReply> {
    const own = this.job?.id;
    if (own !== undefined && !jobIds.includes(own)) await this.remove(own);
    return { missing: jobIds.filter((id) => id !== own) };
  }

  async start(job: JobStart): Promise<JobState> {
    if (this.job !== undefined && this.job.id !== job.id)
      throw new ConflictError(`this agent already has job ${this.job.id}`);
    if (this.job === undefined) {
      await writeFileAtomically(this.paths.spec, JSON.stringify(job));
      await this.takeUp(job);
    }
    return this.requireStore(job.id).state;
  }

  async putBlob(jobId: string, sha256: string, content: Readable): Promise<void> {
    this.requireStore(jobId);
    await this.blobs.put(sha256, content);
    await this.beginWhenReady();
  }

  async stop(jobId: string, request: StopRequest): Promise<JobState> {
    const store = this.requireStore(jobId);
    if (store.state.phase !== 'finished') {
      this.pendingStop = request;
      if (this.beginning === undefined)
        await this.conclude({ reason: request.reason, message: 'stopped before it started' });
      else {
        await store.update({ phase: 'stopping' });
        this.current?.stop(request);
      }
    }
    return store.state;
  }

  async remove(jobId: string): Promise<void> {
    if (this.job?.id !== jobId || this.store === undefined) return;
    if (this.store.state.phase !== 'finished') {
      await this.stop(jobId, { mode: 'kill', graceSeconds: 0, reason: 'terminated_by_server' });
      await this.finished;
    }
  }

  jobs(): readonly JobState[] {
    return this.store === undefined ? [] : [this.store.state];
  }

  onChange(listener: (job: JobState) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  async metrics(): Promise<readonly { readonly jobId: string; readonly metrics: JobMetrics }[]> {
    if (this.job === undefined || this.current === undefined) return [];
    const metrics = await measureJob(cgroupsOf(this.context), this.job.id, this.current.leaderPid);
    return metrics === undefined ? [] : [{ jobId: this.job.id, metrics }];
  }

  async health(): Promise<HostHealth> {
    return { status: 'healthy', incidents: [] };
  }

  log(jobId: string, stream: LogStream): JobLog | undefined {
    return this.job?.id === jobId ? this.logs.get(stream) : undefined;
  }

  async openPort(jobId: string, port: number): Promise<Duplex> {
    this.requireStore(jobId);
    return connectLocally(port).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw new ConflictError(`nothing answers on port ${port} of the job: ${message}`);
    });
  }

  async acceptServerConnection(jobId: string, signal: AbortSignal): Promise<Duplex> {
    const { phase } = this.requireStore(jobId).state;
    if (phase === 'finished') throw new UnknownJobError(jobId);
    const socket = this.current?.serverSocket;
    if (socket === undefined)
      throw new ConflictError(`the job is ${phase}, and makes no connections to the server yet`);
    return socket.accept(signal).catch(() => {
      throw new UnknownJobError(jobId);
    });
  }

  private async takeUp(job: JobStart): Promise<void> {
    this.job = job;
    const { dir, state: statePath } = this.paths;
    const known = await JobStateStore.read(statePath);
    const store = new JobStateStore(
      statePath,
      known ?? { id: job.id, revision: 1, phase: 'waiting', phaseAt: this.now() },
      this.now,
    );
    this.store = store;
    for (const stream of ['job', 'runner'] as const) {
      this.logs.set(stream, new JobLog(dir, stream, () => store.state.logEnd?.[stream]));
    }
    store.onChange((state) => {
      for (const log of this.logs.values()) log.wake();
      for (const listener of this.listeners) listener(state);
      if (state.phase === 'finished') this.resolveFinished();
    });
    if (known?.phase === 'finished') {
      this.resolveFinished();
      return;
    }
    if (known !== undefined && known.phase !== 'waiting') {
      const message =
        'the agent beside the job died and its commands with it (killed, out of memory, or the host restarted)';
      await this.conclude({ reason: 'executor_error', message });
      return;
    }
    await store.save();
    await this.beginWhenReady();
  }

  private async beginWhenReady(): Promise<void> {
    const { job, store } = this;
    if (job === undefined || store === undefined || this.beginning !== undefined || store.state.phase !== 'waiting')
      return;
    const missing = await this.blobs.missing(neededBlobs(job));
    if (missing.length > 0 || this.beginning !== undefined) return;
    this.beginning = this.run(job, store);
    this.beginning.catch(async (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      await this.conclude({ reason: 'executor_error', message: `the agent failed: ${message}` });
    });
  }

  private async run(job: JobStart, store: JobStateStore): Promise<void> {
    await store.update({ phase: 'starting' });
    const dropAfterMs = job.logSpool?.whenFull === 'drop' ? 0 : DEFAULT_DROP_AFTER_MS;
    const maxBytes = job.logSpool?.maxBytes ?? DEFAULT_SPOOL_MAX_BYTES;
    const common = { dir: this.paths.dir, now: this.now, maxBytes, dropAfterMs };
    const output = await SpoolWriter.open({ ...common, stream: 'job' });
    const diagnostics = await SpoolWriter.open({
      ...common,
      stream: 'runner',
      maxBytes: 16 * 1024 * 1024,
      dropAfterMs: 0,
    });
    const execution = new JobExecution({
      job,
      context: this.context,
      blobs: this.blobs,
      spool: output,
      log: new RunnerLog(diagnostics, this.now),
      hostKeyPath: this.paths.hostKey,
      submittedAt: store.state.phaseAt,
      now: this.now,
      report: async (patch) =>
        store.update(patch.phase === 'running' ? { ...patch, ...(await this.servicePlace(job)) } : patch),
    });
    this.current = execution;
    if (this.pendingStop !== undefined) execution.stop(this.pendingStop);
    const connections = setInterval(() => {
      void this.tellConnections(store);
    }, CONNECTIONS_EVERY_MS);
    const outcome = await execution.finished.finally(() => {
      clearInterval(connections);
    });
    this.relay?.close();
    const logEnd = { job: await output.close(), runner: await diagnostics.close() };
    await store.update({ ...outcome, phase: 'finished', finishedAt: this.now(), logEnd });
  }

  /**
   * Where a gateway finds the service. On a host, where the next job may listen at the same port, at a port that is this job's alone: sshd looks at the
   * login which ports a key opens, so a gateway's connection that stands would open the next job's port.
   */
  private async servicePlace(job: JobStart): Promise<Pick<JobState, 'servicePort'>> {
    const { gatewayDoor } = job;
    if (gatewayDoor === undefined) return {};
    if (this.isWholeAgent) return { servicePort: gatewayDoor.port };
    if (!hasPortsOfHost(job)) return {};
    this.relay = await PortRelay.listen(() => connectLocally(gatewayDoor.port));
    return { servicePort: this.relay.port };
  }

  /** Ends a job whose commands do not run here; its log is what is on disk. */
  private async conclude(outcome: Pick<JobState, 'reason' | 'message'>): Promise<void> {
    const { dir } = this.paths;
    const logEnd = await findLogEnds(dir);
    await this.store?.update({ ...outcome, phase: 'finished', finishedAt: this.now(), logEnd });
  }

  /** Keeps the time since the last login current: it decides when a dev environment has been idle for too long. */
  private async tellConnections(store: JobStateStore): Promise<void> {
    const seconds = this.countedElsewhere?.() ?? this.current?.noConnectionsSeconds();
    if (seconds !== undefined) await store.update({ noConnectionsSeconds: seconds });
  }

  private requireStore(jobId: string): JobStateStore {
    if (this.job?.id !== jobId || this.store === undefined) throw new UnknownJobError(jobId);
    return this.store;
  }
}
