import type { LogStream } from '@dstack/agent-protocol';

/** Names one log: one stream of one job submission. */
export interface LogKey {
  readonly projectName: string;
  readonly runName: string;
  readonly jobId: string;
  readonly stream: LogStream;
}

export interface LogChunk {
  /** Unix ms at which the job wrote it. */
  readonly at: number;
  readonly payload: Uint8Array;
}

/** Where `startOffset` counts the bytes of the whole stream before this chunk. */
export interface StoredChunk extends LogChunk {
  readonly startOffset: number;
}

export interface LogSlice {
  readonly chunks: readonly StoredChunk[];
  /** Length of the stream now. */
  readonly endOffset: number;
  /** Nothing will be appended any more. */
  readonly complete: boolean;
}

/** Offset-addressed logs: offsets count the bytes a job printed, without gaps. */
export interface LogStore {
  /** Bytes stored so far: the offset to ask the agent for. */
  endOffset(key: LogKey): Promise<number>;
  /**
   * Durable when it resolves; returns the new end. A store that can begin the next append of a log before this one is durable calls
   * `onWritten` as soon as that may be asked for: appends are durable in their order, and one after an append that failed is refused.
   * @throws {LogOffsetConflictError} when `startOffset` is not the end: somebody else appended, or bytes are missing.
   */
  append(key: LogKey, startOffset: number, chunks: readonly LogChunk[], onWritten?: () => void): Promise<number>;
  /** Streams of this log end here. */
  complete(key: LogKey): Promise<void>;
  /**
   * At most `maxBytes` from `fromOffset` on (at least one chunk's share when there is any). An unknown log is empty. Where bytes are gone (a
   * service has its own retention) the first chunk begins later.
   */
  read(key: LogKey, fromOffset: number, maxBytes: number): Promise<LogSlice>;
  /** Offset of the first byte written after `at`. */
  offsetAfter(key: LogKey, at: number): Promise<number>;
  /** Calls back after each append or completion that this process sees; returns how to stop. */
  watch(key: LogKey, changed: () => void): () => void;
  /** Forgets everything about the run's logs. */
  deleteRun(projectName: string, runName: string, jobIds: readonly string[]): Promise<void>;
  /** Where people find this log by themselves; undefined: nowhere but here. */
  externalUrl?(key: LogKey): string | null;
  close(): Promise<void>;
}

export class LogOffsetConflictError extends Error {
  override readonly name = 'LogOffsetConflictError';
  constructor(readonly endOffset: number) {
    super(`the stored log ends at ${endOffset}`);
  }
}

/** The injection token of the store that goes with the database. */
export const LOG_STORE = Symbol('LogStore');
