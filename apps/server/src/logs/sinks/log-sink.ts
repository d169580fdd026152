import type { LogKey } from '../log-store.js';

/** One entry of a log that is kept elsewhere: a line with its line break, or a part of one. */
export interface SinkEvent {
  /** Where its first byte is in the log. */
  readonly offset: number;
  /** Unix ms; never smaller than that of the event before. */
  readonly at: number;
  /** UTF-8 of it has as many bytes as the job wrote. */
  readonly text: string;
}

/** As the sink has it; sinks that keep nothing but times and texts do not know offsets. */
export interface FoundEvent {
  readonly offset?: number;
  readonly at: number;
  readonly text: string;
}

/** What one request may hold. */
export interface SinkLimits {
  readonly events: number;
  /** Of all texts, with `eventOverheadBytes` for each. */
  readonly bytes: number;
  readonly eventOverheadBytes: number;
  /** Of one text. */
  readonly eventBytes: number;
  /** Between the first and the last event. */
  readonly spanMs: number;
}

/** A part of a log that was shipped in one request. No other part of the log has events between its times. */
export interface SegmentRange {
  readonly startOffset: number;
  readonly endOffset: number;
  /** Unix ms. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** A service that keeps the logs of jobs. */
export interface LogSink {
  /** As people call it. */
  readonly name: string;
  readonly limits: SinkLimits;
  /** Whether what was put can be read again. */
  readonly isReadable: boolean;
  /**
   * The service has them when it resolves. Putting the same events again is allowed: the answer to the first request may have been lost.
   * @returns how many it would not take, for good (CloudWatch: too old)
   * @throws {LogSinkError}
   */
  put(key: LogKey, events: readonly SinkEvent[]): Promise<{ readonly refused: number }>;
  /** What the service has of it, in order as far as it knows one. @throws {LogSinkError} */
  get(key: LogKey, segment: SegmentRange): Promise<readonly FoundEvent[]>;
  /** Where people look at the log by themselves. */
  externalUrl(key: LogKey): string | null;
  /** Whether logs can be put there, as far as can be told without putting any. @throws {LogSinkError} */
  check(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `outage`: worth trying again. `refused`: the service will never take this request. `configuration`: it takes nothing until somebody changes
 * a setting, there or here; the message says which.
 */
export type LogSinkFailure = 'outage' | 'refused' | 'configuration';

export class LogSinkError extends Error {
  override readonly name = 'LogSinkError';
  constructor(
    readonly kind: LogSinkFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The name that the log has elsewhere, `<project>/<run>/<submission>/<job or runner>`. */
export function streamName(key: LogKey, separator: '/' | '-' = '/'): string {
  return [key.projectName, key.runName, key.jobId, key.stream].join(separator);
}
