/** Bytes of a job's log as its terminal printed them. */
export interface LogChunk {
  readonly bytes: Uint8Array;
  /** Position in the log after these bytes: pass it as `after` to go on from here. */
  readonly endOffset: number;
  readonly atMs: number;
}

export interface LogLine {
  readonly text: string;
  readonly endOffset: number;
  readonly atMs: number;
}

export interface LogTarget {
  readonly runName: string;
  readonly replica?: number | undefined;
  readonly job?: number | undefined;
  /** One attempt of the job; default the latest. */
  readonly submissionId?: string | undefined;
}

export interface LogOptions {
  /** Offset to begin after; default the beginning. */
  readonly after?: number | undefined;
  /** Only what was printed at this time or later. */
  readonly sinceMs?: number | undefined;
  /** Go on until the job's log is complete; otherwise end with what is there now. Default true. */
  readonly follow?: boolean | undefined;
  /** The log of the agent about the job, instead of the job's own. */
  readonly diagnose?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told when the server cannot be reached although it is tried again, and when it answers again. */
  readonly onConnection?: ((state: 'lost' | 'back') => void) | undefined;
}
