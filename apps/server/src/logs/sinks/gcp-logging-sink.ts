import { z } from 'zod';
import type { LogKey } from '../log-store.js';
import { GoogleClient, GoogleError } from '../../google/google-client.js';
import {
  type FoundEvent,
  type LogSink,
  LogSinkError,
  type SegmentRange,
  type SinkEvent,
  streamName,
} from './log-sink.js';

const LOG_ID = 'dstack-run-logs';
const API = 'https://logging.googleapis.com';
const PAGE_ENTRIES = 1_000;

const page = z.object({
  entries: z
    .array(
      z.object({
        insertId: z.string().default(''),
        timestamp: z.string(),
        textPayload: z.string().default(''),
        labels: z.record(z.string(), z.string()).default({}),
      }),
    )
    .default([]),
  nextPageToken: z.string().default(''),
});

export interface GcpLoggingOptions {
  readonly project: string;
  /** Another address than Google's. */
  readonly endpoint?: string;
}

/**
 * Logs in the log `dstack-run-logs` of a project, an entry a line, with the stream as a label. Entries have ids by their place in the log, so Google
 * drops those that are sent twice and keeps the order of those of the same millisecond.
 */
export class GcpLoggingSink implements LogSink {
  readonly name = 'Google Cloud Logging';
  readonly isReadable = true;
  /** An entry may have 256 KiB with all that belongs to it, and a request 10 MB. */
  readonly limits = {
    events: 1_000,
    bytes: 1_048_576,
    eventOverheadBytes: 500,
    eventBytes: 128 * 1024,
    spanMs: 24 * 3_600_000,
  };
  private readonly client: GoogleClient;
  private readonly logName: string;

  constructor(private readonly options: GcpLoggingOptions) {
    this.client = new GoogleClient(options.endpoint ?? API);
    this.logName = `projects/${options.project}/logs/${LOG_ID}`;
  }

  async check(): Promise<void> {
    const entries = [{ textPayload: 'dstack server check' }];
    await this.ask('/v2/entries:write', { logName: this.logName, resource: { type: 'global' }, entries, dryRun: true });
  }

  async put(key: LogKey, events: readonly SinkEvent[]): Promise<{ refused: number }> {
    const stream = streamName(key, '-');
    await this.ask('/v2/entries:write', {
      logName: this.logName,
      resource: { type: 'global' },
      entries: events.map(({ offset, at, text }) => ({
        insertId: insertId(key, offset),
        timestamp: new Date(at).toISOString(),
        textPayload: text,
        labels: { stream, offset: String(offset) },
      })),
    });
    return { refused: 0 };
  }

  async get(key: LogKey, segment: SegmentRange): Promise<readonly FoundEvent[]> {
    const found: FoundEvent[] = [];
    let pageToken = '';
    do {
      const answer = await this.ask('/v2/entries:list', {
        resourceNames: [`projects/${this.options.project}`],
        filter: filterOf(this.logName, streamName(key, '-'), segment),
        orderBy: 'timestamp asc',
        pageSize: PAGE_ENTRIES,
        ...(pageToken === '' ? {} : { pageToken }),
      });
      const { entries, nextPageToken } = page.parse(answer);
      for (const { timestamp, textPayload: text, labels } of entries) {
        const { offset } = labels;
        found.push({ at: Date.parse(timestamp), text, ...(offset === undefined ? {} : { offset: Number(offset) }) });
      }
      pageToken = nextPageToken;
    } while (pageToken !== '');
    return found;
  }

  externalUrl(key: LogKey): string {
    const query = `logName="${this.logName}"\nlabels.stream="${streamName(key, '-')}"`;
    return `https://console.cloud.google.com/logs/query;query=${encodeURIComponent(query)}?project=${this.options.project}`;
  }

  async close(): Promise<void> {
    // Requests are single ones.
  }

  private async ask(path: string, body: unknown): Promise<unknown> {
    try {
      return await this.client.json(path, body);
    } catch (error) {
      throw explain(error, this.options.project);
    }
  }
}

function filterOf(logName: string, stream: string, { firstAt, lastAt }: SegmentRange): string {
  const [from, until] = [firstAt, lastAt].map((at) => new Date(at).toISOString());
  return `logName="${logName}" AND labels.stream="${stream}" AND timestamp>="${from}" AND timestamp<="${until}"`;
}

/** In the order of offsets, for entries of the same time come in the order of their ids. */
function insertId(key: LogKey, offset: number): string {
  return `${String(offset).padStart(15, '0')}-${key.jobId}-${key.stream}`;
}

function explain(error: unknown, project: string): LogSinkError {
  if (!(error instanceof GoogleError)) throw error;
  const because = { cause: error };
  switch (error.status) {
    case 401:
    case 403:
    case 404:
      return new LogSinkError(
        'configuration',
        `Google does not let this server use the logs of the project "${project}" (${error.message}): give its account the roles logging.logWriter and logging.viewer, or change DSTACK_SERVER_GCP_LOGGING_PROJECT`,
        because,
      );
    case 400:
      return new LogSinkError('refused', error.message, because);
    case 429:
      return new LogSinkError('outage', `Google's quota is used up, try again in a minute: ${error.message}`, because);
    default:
      return new LogSinkError('outage', error.message, because);
  }
}
