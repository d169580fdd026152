import type { JobStart, LogStream, StopRequest } from '@dstack/agent-protocol';

/** What outlives an agent in the world's memory: everything a job printed, and how much of it the server said it has. */
export interface Spool {
  readonly jobId: string;
  readonly stream: LogStream;
  content: Buffer;
  acknowledged: number;
}

export interface JobWatch {
  started(start: JobStart, agentId: string, spools: Readonly<Record<LogStream, Spool>>): void;
  /** Before the job obeys. `ranMs`: since its commands began; null: they have not. */
  stopping(start: JobStart, request: StopRequest, ranMs: number | null): void;
  /** Before the agent takes an acknowledgement for true. */
  acknowledged(spool: Spool, offset: number): void;
}
