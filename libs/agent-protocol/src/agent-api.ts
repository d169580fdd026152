import type { Duplex } from 'node:stream';
import type { AgentInfo } from './agent-info.js';
import type { AgentErrorBody, ControlEvent, DesiredReply } from './control-event.js';
import type { JobStart } from './job-start.js';
import type { JobState, LogStream, StopRequest } from './job-state.js';
import type { LogFrame } from './log-frame.js';

/** What the server can ask of one agent. The real one speaks HTTP over a socket; the simulator's is a model with the same promises. */
export interface AgentApi {
  info(signal: AbortSignal): Promise<AgentInfo>;
  /** States what should exist; removes the rest. @throws {StaleEpochError} when another server took over. */
  desire(jobIds: readonly string[], signal: AbortSignal): Promise<DesiredReply>;
  /**
   * The host powers itself off once no server was connected and no job ran for so long; null: never.
   * @returns whether the agent does so; absent: in models of hosts that never do
   */
  armPowerOff?(afterSeconds: number | null, signal: AbortSignal): Promise<boolean>;
  /** Idempotent by id. */
  start(job: JobStart, signal: AbortSignal): Promise<JobState>;
  uploadBlob(jobId: string, sha256: string, content: Uint8Array, signal: AbortSignal): Promise<void>;
  stop(jobId: string, request: StopRequest, signal: AbortSignal): Promise<JobState>;
  /** Kills what still runs, removes container, directory and spool. Unknown id is a success. */
  remove(jobId: string, signal: AbortSignal): Promise<void>;
  /** Control stream; ends by throwing when the connection breaks. */
  events(signal: AbortSignal): AsyncIterable<ControlEvent>;
  /** Frames from `offset` on; at most `windowBytes` beyond the last acknowledged offset are sent. Ends when the log is complete. */
  logs(
    jobId: string,
    stream: LogStream,
    offset: number,
    windowBytes: number,
    signal: AbortSignal,
  ): AsyncIterable<LogFrame>;
  /**
   * The next connection a job with access to the server makes to it; waits until there is one.
   * @throws {AgentRequestError} `not_found` for a job that has finished, `conflict` for one that does not run yet
   */
  acceptServerConnection(jobId: string, signal: AbortSignal): Promise<Duplex>;
  /** Raw bytes to and from a port of the job, as seen from inside it. Data, not control: any server may ask. Absent: in models without ports. */
  openTcp?(jobId: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Everything before `offset` is durable at the server; the spool may drop it and the window moves on. */
  acknowledgeLogs(jobId: string, stream: LogStream, offset: number, signal: AbortSignal): Promise<void>;
}

/** The agent has seen a higher epoch: this server no longer owns the host and must stop acting on it. */
export class StaleEpochError extends Error {
  override readonly name = 'StaleEpochError';
  constructor(readonly currentEpoch: number) {
    super(`another server controls this host (epoch ${currentEpoch})`);
  }
}

/** The agent could not be reached, or the connection broke: nothing is known about what happened to the request. */
export class AgentUnreachableError extends Error {
  override readonly name = 'AgentUnreachableError';
}

/** The agent answered, and said no. */
export class AgentRequestError extends Error {
  override readonly name = 'AgentRequestError';
  constructor(
    readonly status: number,
    readonly code: AgentErrorBody['code'],
    message: string,
  ) {
    super(message);
  }
}
