import type { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import type {
  AgentInfo,
  DesiredReply,
  HostHealth,
  JobMetrics,
  JobStart,
  JobState,
  LogStream,
  StopRequest,
} from '@dstack/agent-protocol';
import type { JobLog } from '../spool/job-log.js';

/** What the protocol's routes need; the host side has many jobs behind it, the job side one. */
export interface AgentService {
  info(): Promise<AgentInfo>;
  desire(jobIds: readonly string[]): Promise<DesiredReply>;
  start(job: JobStart): Promise<JobState>;
  putBlob(jobId: string, sha256: string, content: Readable): Promise<void>;
  stop(jobId: string, request: StopRequest): Promise<JobState>;
  remove(jobId: string): Promise<void>;
  jobs(): readonly JobState[];
  /** Returns how to stop listening. */
  onChange(listener: (job: JobState) => void): () => void;
  metrics(): Promise<readonly { readonly jobId: string; readonly metrics: JobMetrics }[]>;
  health(): Promise<HostHealth>;
  log(jobId: string, stream: LogStream): JobLog | undefined;
  openPort(jobId: string, port: number): Promise<Duplex>;
  /** The next connection the job makes to the server. */
  acceptServerConnection(jobId: string, signal: AbortSignal): Promise<Duplex>;
}

export class UnknownJobError extends Error {
  override readonly name = 'UnknownJobError';
  constructor(jobId: string) {
    super(`this agent has no job ${jobId}`);
  }
}

/** The request makes sense, but not in the state the job is in. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}
