import { isDstackError } from '../errors.js';
import { sleep } from '../http/sleep.js';
import { aborted, type Transport } from '../http/transport.js';
import type { LogChunk, LogOptions, LogTarget } from './log-chunk.js';
import { LogFrameDecoder } from './log-frame-decoder.js';

/** The server sends a heartbeat every 5 s; a stream silent for longer is dead and opened anew. */
const SILENCE_MS = 20_000;
const RECONNECT_MS = 1_000;
/** How long a server may be away (a restart, an upgrade) before following is given up. */
const OUTAGE_MS = 120_000;

/**
 * The server's live stream. A broken connection is opened again at the last offset, so nothing is skipped or repeated.
 * @throws {ApiError} of kind `not-found` before the first byte when the server has no such endpoint.
 */
export async function* streamLogs(
  transport: Transport,
  project: string,
  target: LogTarget,
  options: LogOptions,
): AsyncIterable<LogChunk> {
  let after = options.after ?? 0;
  let lostAt: number | undefined;
  let reported = false;
  const onAlive = () => {
    lostAt = undefined;
    if (reported) options.onConnection?.('back');
    reported = false;
  };
  for (;;) {
    try {
      for await (const chunk of connection(transport, project, target, { ...options, after, onAlive })) {
        if (chunk.endOffset <= after) continue;
        const fresh = chunk.bytes.subarray(Math.max(0, chunk.bytes.length - (chunk.endOffset - after)));
        after = chunk.endOffset;
        if (options.sinceMs !== undefined && chunk.atMs < options.sinceMs) continue;
        yield { ...chunk, bytes: fresh };
      }
      return;
    } catch (error) {
      if (options.signal?.aborted) throw aborted(options.signal);
      if (!isOutage(error)) throw error;
      const firstContact = lostAt === undefined && isDstackError(error);
      if (firstContact && after === (options.after ?? 0)) throw error;
      // A connection that opens again at once is no news.
      if (lostAt !== undefined && !reported) {
        reported = true;
        options.onConnection?.('lost');
      }
      lostAt ??= performance.now();
      if (performance.now() - lostAt > OUTAGE_MS) throw error;
      await sleep(RECONNECT_MS, options.signal);
    }
  }
}

/** Anything that is no answer of ours is a broken connection. */
function isOutage(error: unknown): boolean {
  if (!isDstackError(error)) return true;
  return error.kind === 'connection' || error.kind === 'timeout' || error.kind === 'server';
}

async function* connection(
  transport: Transport,
  project: string,
  target: LogTarget,
  options: LogOptions & { readonly onAlive: () => void },
): AsyncIterable<LogChunk> {
  const silence = new AbortController();
  const stream = await transport.stream({
    method: 'GET',
    path: `/api/project/${encodeURIComponent(project)}/runs/${encodeURIComponent(target.runName)}/logs/stream`,
    query: {
      replica: target.replica,
      job: target.job,
      submission_id: target.submissionId,
      after: options.after ?? 0,
      follow: options.follow ?? true,
      diagnose: options.diagnose ?? false,
    },
    repeatable: 'read',
    signal: options.signal ? AbortSignal.any([options.signal, silence.signal]) : silence.signal,
  });
  const watchdog = setTimeout(() => stream.destroy(new Error('the log stream fell silent')), SILENCE_MS);
  const decoder = new LogFrameDecoder();
  try {
    for await (const bytes of stream) {
      watchdog.refresh();
      options.onAlive(); // a heartbeat counts: a silent job has no outage
      for (const frame of decoder.push(bytes as Uint8Array)) {
        if (frame.payload.length === 0) continue;
        yield { bytes: frame.payload, endOffset: frame.endOffset, atMs: frame.atMs };
        watchdog.refresh();
      }
    }
  } finally {
    clearTimeout(watchdog);
    stream.destroy();
  }
}
