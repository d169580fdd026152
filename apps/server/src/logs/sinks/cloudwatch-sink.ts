import type { CloudWatchLogsClient, InputLogEvent, PutLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import type { Clock } from '../../world/world.js';
import type { LogKey } from '../log-store.js';
import {
  type FoundEvent,
  type LogSink,
  LogSinkError,
  type SegmentRange,
  type SinkEvent,
  streamName,
} from './log-sink.js';

export interface CloudWatchOptions {
  readonly group: string;
  /** Undefined: as the AWS configuration of the machine says. */
  readonly region: string | undefined;
  readonly clock: Clock;
  /** Another address than that of the region. */
  readonly endpoint?: string;
}

const MINUTE = 60_000;
/** Older events are refused by AWS; a few minutes are left for the way. */
const OLDEST_MS = 14 * 24 * 60 * MINUTE - 10 * MINUTE;
const NEWEST_MS = 2 * 60 * MINUTE - 10 * MINUTE;
const KNOWN_STREAMS = 2_000;
/** Pages of GetLogEvents may be empty although there is more. */
const EMPTY_PAGES = 10;
const REQUEST_MS = 20_000;

type Sdk = typeof import('@aws-sdk/client-cloudwatch-logs');

/** Logs in a group of AWS CloudWatch Logs: a stream each, an event a line. The group is somebody else's to create. */
export class CloudWatchSink implements LogSink {
  readonly name = 'CloudWatch Logs';
  readonly isReadable = true;
  /** 256 KB an event holds in every region; AWS takes 1 MB in most. */
  readonly limits = {
    events: 10_000,
    bytes: 1_048_576,
    eventOverheadBytes: 26,
    eventBytes: 262_144 - 26,
    spanMs: 24 * 60 * MINUTE,
  };
  private readonly streams = new Set<string>();

  private constructor(
    private readonly sdk: Sdk,
    private readonly client: CloudWatchLogsClient,
    private readonly region: string,
    private readonly options: CloudWatchOptions,
  ) {}

  /** @throws {LogSinkError} */
  static async open(options: CloudWatchOptions): Promise<CloudWatchSink> {
    const sdk = await import('@aws-sdk/client-cloudwatch-logs');
    const client = new sdk.CloudWatchLogsClient({
      ...(options.region === undefined ? {} : { region: options.region }),
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
      maxAttempts: 5,
      retryMode: 'adaptive',
    });
    try {
      return new CloudWatchSink(sdk, client, await client.config.region(), options);
    } catch (error) {
      throw new LogSinkError(
        'configuration',
        'the region of the CloudWatch group is not known: set DSTACK_SERVER_CLOUDWATCH_LOG_REGION',
        { cause: error },
      );
    }
  }

  async check(): Promise<void> {
    const { DescribeLogStreamsCommand } = this.sdk;
    await this.asked(() =>
      this.client.send(new DescribeLogStreamsCommand({ logGroupName: this.options.group, limit: 1 }), within()),
    );
  }

  async put(key: LogKey, events: readonly SinkEvent[]): Promise<{ refused: number }> {
    const now = this.options.clock.now();
    const taken = events.filter(({ at }) => at >= now - OLDEST_MS && at <= now + NEWEST_MS);
    if (taken.length === 0) return { refused: events.length };
    const logStreamName = streamName(key);
    const logEvents = taken.map(({ at, text }): InputLogEvent => ({ timestamp: at, message: text }));
    await this.ensureStream(logStreamName);
    const answer = await this.asked(() => this.putEvents(logStreamName, logEvents));
    return { refused: events.length - taken.length + rejected(answer, taken.length) };
  }

  async get(key: LogKey, { firstAt, lastAt }: SegmentRange): Promise<readonly FoundEvent[]> {
    const found: FoundEvent[] = [];
    let empty = 0;
    let nextToken: string | undefined;
    for (;;) {
      const page = await this.page(streamName(key), { startTime: firstAt, endTime: lastAt + 1, nextToken });
      if (page === null) return found;
      for (const { timestamp, message } of page.events ?? []) found.push({ at: timestamp ?? 0, text: message ?? '' });
      empty = (page.events ?? []).length === 0 ? empty + 1 : 0;
      // At the end AWS gives the token it was asked with.
      const isOver = page.nextForwardToken === undefined || page.nextForwardToken === nextToken;
      if (isOver || empty === EMPTY_PAGES) return found;
      nextToken = page.nextForwardToken;
    }
  }

  externalUrl(key: LogKey): string {
    const [group, stream] = [this.options.group, streamName(key)].map(inConsole);
    return `https://console.aws.amazon.com/cloudwatch/home?region=${this.region}#logsV2:log-groups/log-group/${group}/log-events/${stream}`;
  }

  async close(): Promise<void> {
    this.client.destroy();
  }

  private async page(
    logStreamName: string,
    range: { readonly startTime: number; readonly endTime: number; readonly nextToken: string | undefined },
  ) {
    const { GetLogEventsCommand } = this.sdk;
    const logGroupName = this.options.group;
    const { nextToken, ...times } = range;
    const command = new GetLogEventsCommand({
      logGroupName,
      logStreamName,
      ...times,
      startFromHead: true,
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    try {
      return await this.client.send(command, within());
    } catch (error) {
      // A stream that is not there is empty; a group that is not there is an error.
      if (isMissing(error) && !isAboutGroup(error)) return null;
      throw explain(error, this.options.group);
    }
  }

  private async putEvents(logStreamName: string, logEvents: InputLogEvent[]): Promise<PutLogEventsCommandOutput> {
    const { PutLogEventsCommand } = this.sdk;
    const command = new PutLogEventsCommand({ logGroupName: this.options.group, logStreamName, logEvents });
    try {
      return await this.client.send(command, within());
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Deleted since: made anew once.
      this.streams.delete(logStreamName);
      await this.ensureStream(logStreamName);
      return this.client.send(command, within());
    }
  }

  private async ensureStream(logStreamName: string): Promise<void> {
    if (this.streams.has(logStreamName)) return;
    const { CreateLogStreamCommand } = this.sdk;
    const command = new CreateLogStreamCommand({ logGroupName: this.options.group, logStreamName });
    await this.asked(async () => {
      try {
        await this.client.send(command, within());
      } catch (error) {
        if (nameOf(error) !== 'ResourceAlreadyExistsException') throw error;
      }
    });
    this.streams.add(logStreamName);
    const [oldest] = this.streams;
    if (this.streams.size > KNOWN_STREAMS && oldest !== undefined) this.streams.delete(oldest);
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw explain(error, this.options.group);
    }
  }
}

function within(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(REQUEST_MS) };
}

/** Of the events that were sent; they are in order, so those that AWS finds too old or too new are at the ends. */
function rejected({ rejectedLogEventsInfo: info }: PutLogEventsCommandOutput, sent: number): number {
  if (info === undefined) return 0;
  const first = Math.max(info.tooOldLogEventEndIndex ?? 0, info.expiredLogEventEndIndex ?? 0);
  return Math.min(sent, first + sent - Math.min(sent, info.tooNewLogEventStartIndex ?? sent));
}

const REFUSED = new Set(['InvalidParameterException', 'ValidationException', 'DataAlreadyAcceptedException']);
const FORBIDDEN = new Set([
  'AccessDeniedException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'CredentialsProviderError',
  'InvalidClientTokenId',
]);

function explain(error: unknown, group: string): LogSinkError {
  if (error instanceof LogSinkError) return error;
  const [name, message] = [nameOf(error), error instanceof Error ? error.message : String(error)];
  const because = { cause: error };
  if (isMissing(error))
    return new LogSinkError(
      'configuration',
      `there is no CloudWatch log group "${group}" in this region and account: create it, or set DSTACK_SERVER_CLOUDWATCH_LOG_GROUP and _REGION`,
      because,
    );
  if (FORBIDDEN.has(name))
    return new LogSinkError(
      'configuration',
      `AWS does not let this server use the log group "${group}" (${message}): it needs logs:DescribeLogStreams, logs:CreateLogStream, logs:GetLogEvents and logs:PutLogEvents`,
      because,
    );
  return new LogSinkError(REFUSED.has(name) ? 'refused' : 'outage', `${name}: ${message}`, because);
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
const isMissing = (error: unknown): boolean => nameOf(error) === 'ResourceNotFoundException';
const isAboutGroup = (error: unknown): boolean => error instanceof Error && /log group/i.test(error.message);

/** As addresses of the console have names. */
function inConsole(name: string): string {
  return encodeURIComponent(encodeURIComponent(name)).replaceAll('%', '$');
}
