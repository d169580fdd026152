import type { Wire } from '@dstack/core';
import { sleep } from '../http/sleep.js';
import type { LogChunk, LogOptions } from './log-chunk.js';

const PAGE = 1000;
const POLL_MS = 1_000;

export interface LogPoller {
  poll(request: Wire.PollLogsRequest): Promise<Wire.JobSubmissionLogs>;
  /** True when nothing will be added to this log. */
  isComplete(): Promise<boolean>;
}

/**
 * Logs of a server without live streams, page by page. Offsets are counted here, from the first byte of the log.
 * When a page has no token for the next, reading goes on at the time of the last event, without the events already seen.
 */
export async function* pollLogs(
  poller: LogPoller,
  request: { readonly runName: string; readonly submissionId: string },
  options: LogOptions,
): AsyncIterable<LogChunk> {
  const after = options.after ?? 0;
  let offset = 0;
  let token: string | undefined;
  let seen: SeenAtLastTime | undefined;
  for (;;) {
    // Asked before the page is read: what is printed in between is on the page.
    const complete = options.follow === false || (await poller.isComplete());
    let count: number;
    do {
      const startTime = seen?.time ?? (options.sinceMs === undefined ? undefined : isoTime(options.sinceMs));
      const page = await poller.poll({
        run_name: request.runName,
        job_submission_id: request.submissionId,
        start_time: token === undefined ? (startTime ?? null) : null,
        next_token: token ?? null,
        limit: PAGE,
        diagnose: options.diagnose ?? false,
      });
      const fresh: Wire.LogEvent[] = token === undefined && seen ? withoutSeen(page.logs, seen) : page.logs;
      for (const event of fresh) {
        const bytes = Buffer.from(event.message, 'base64');
        offset += bytes.length;
        if (offset > after) {
          const wanted = bytes.subarray(Math.max(0, bytes.length - (offset - after)));
          yield { bytes: wanted, endOffset: offset, atMs: Date.parse(event.timestamp) };
        }
      }
      seen = remember(seen, fresh);
      count = page.logs.length;
      token = page.next_token ?? undefined;
    } while (token !== undefined && count > 0);
    if (complete) return;
    await sleep(POLL_MS, options.signal);
  }
}

interface SeenAtLastTime {
  readonly time: string;
  readonly count: number;
}

function withoutSeen(events: readonly Wire.LogEvent[], seen: SeenAtLastTime): Wire.LogEvent[] {
  let toSkip = seen.count;
  return events.filter((event) => {
    if (event.timestamp < seen.time) return false;
    if (event.timestamp !== seen.time || toSkip === 0) return true;
    toSkip -= 1;
    return false;
  });
}

function remember(seen: SeenAtLastTime | undefined, events: readonly Wire.LogEvent[]): SeenAtLastTime | undefined {
  const last = events.at(-1);
  if (!last) return seen;
  const count = events.filter((event) => event.timestamp === last.timestamp).length;
  return { time: last.timestamp, count: count + (seen?.time === last.timestamp ? seen.count : 0) };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
