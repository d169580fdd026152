import type { LogKey } from '../log-store.js';
import type { ElasticsearchReader } from './elasticsearch-reader.js';
import { FluentError, type FluentRecord, postRecords } from './fluent-http.js';
import { canConnect, forwardRecords } from './fluent-forward.js';
import {
  type FoundEvent,
  type LogSink,
  LogSinkError,
  type SegmentRange,
  type SinkEvent,
  streamName,
} from './log-sink.js';

export interface FluentBitOptions {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'forward' | 'http';
  readonly tagPrefix: string;
  /** Null: logs are shipped, and nobody reads them back. */
  readonly reader: ElasticsearchReader | null;
}

/** Logs handed to Fluent Bit (or Fluentd), a record a line; where they go from there is its configuration, and where they are read from is ours. */
export class FluentBitSink implements LogSink {
  readonly name = 'Fluent Bit';
  readonly isReadable: boolean;
  readonly limits = {
    events: 1_000,
    bytes: 1_048_576,
    eventOverheadBytes: 300,
    eventBytes: 128 * 1024,
    spanMs: 24 * 3_600_000,
  };

  constructor(private readonly options: FluentBitOptions) {
    this.isReadable = options.reader !== null;
  }

  async check(): Promise<void> {
    await this.asked(() => canConnect(this.options));
    await this.options.reader?.check();
  }

  async put(key: LogKey, events: readonly SinkEvent[]): Promise<{ refused: number }> {
    const stream = streamName(key);
    const tag = `${this.options.tagPrefix}.${stream}`;
    const records = events.map(({ offset, at, text }): FluentRecord => ({
      at,
      record: { message: text, '@timestamp': new Date(at).toISOString(), stream, offset },
    }));
    const send = this.options.protocol === 'forward' ? forwardRecords : postRecords;
    await this.asked(() => send(this.options, tag, records));
    return { refused: 0 };
  }

  async get(key: LogKey, segment: SegmentRange): Promise<readonly FoundEvent[]> {
    return this.options.reader === null ? [] : this.options.reader.read(streamName(key), segment);
  }

  externalUrl(): null {
    return null;
  }

  async close(): Promise<void> {
    // Each request has its own connection.
  }

  private async asked(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      const { host, port, protocol } = this.options;
      const message = error instanceof Error ? error.message : String(error);
      const isRefused = error instanceof FluentError && error.isRefused;
      throw new LogSinkError(
        isRefused ? 'refused' : 'outage',
        `Fluent Bit at ${host}:${port} (${protocol}) did not take it: ${message}`,
        { cause: error },
      );
    }
  }
}
