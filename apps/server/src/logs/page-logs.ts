import { cutLines, type LogLine } from './log-lines.js';
import type { LogKey, LogStore } from './log-store.js';

const BLOCK_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 128 * 1024;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

export interface LogPageRequest {
  /** Exclusive, Unix ms. */
  readonly after?: number;
  /** Exclusive, Unix ms. */
  readonly before?: number;
  readonly descending: boolean;
  readonly limit: number;
  readonly token?: string;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  /** Undefined when there is nothing more now. */
  readonly nextToken: string | undefined;
}

export class BadLogTokenError extends Error {
  override readonly name = 'BadLogTokenError';
  constructor() {
    super('next_token is not one that this server gave');
  }
}

/** One page of a log. The token is the offset at which the next page starts (ascending) or ends (descending). */
export async function pageLogs(store: LogStore, key: LogKey, request: LogPageRequest): Promise<LogPage> {
  if (request.limit <= 0) return { lines: [], nextToken: undefined };
  return request.descending ? descendingPage(store, key, request) : ascendingPage(store, key, request);
}

async function ascendingPage(store: LogStore, key: LogKey, request: LogPageRequest): Promise<LogPage> {
  let offset =
    parseToken(request.token) ?? (request.after === undefined ? 0 : await store.offsetAfter(key, request.after));
  const lines: LogLine[] = [];
  let bytes = 0;
  for (;;) {
    const slice = await store.read(key, offset, BLOCK_BYTES);
    const { lines: whole, rest } = cutLines(slice.chunks, MAX_LINE_BYTES);
    const reached = slice.chunks.reduce(
      (end, chunk) => Math.max(end, chunk.startOffset + chunk.payload.length),
      offset,
    );
    // The rest belongs to the next block, unless the log ends here (for now).
    const complete =
      rest !== undefined && (reached >= slice.endOffset || whole.length === 0) ? [...whole, rest] : whole;
    for (const line of complete) {
      if (request.after !== undefined && line.at <= request.after) continue;
      if (request.before !== undefined && line.at >= request.before) return { lines, nextToken: undefined };
      lines.push(line);
      bytes += line.bytes.length;
      if (lines.length === request.limit || bytes >= MAX_PAGE_BYTES) {
        return { lines, nextToken: line.endOffset < slice.endOffset ? String(line.endOffset) : undefined };
      }
    }
    const next = complete.at(-1)?.endOffset ?? offset;
    if (next === offset || next >= slice.endOffset) return { lines, nextToken: undefined };
    offset = next;
  }
}

async function descendingPage(store: LogStore, key: LogKey, request: LogPageRequest): Promise<LogPage> {
  let end =
    parseToken(request.token) ??
    (request.before === undefined ? await store.endOffset(key) : await store.offsetAfter(key, request.before - 1));
  const lines: LogLine[] = [];
  let bytes = 0;
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const slice = await store.read(key, start, end - start);
    // Where bytes are gone, those after them are told of; here they were before.
    const chunks = slice.chunks.filter(({ startOffset }) => startOffset < end);
    const { lines: whole, rest } = cutLines(chunks, MAX_LINE_BYTES);
    const all = rest ? [...whole, rest] : whole;
    // A block may begin inside a line: unless it is the first one, its first line is read again with the block before.
    const usable = start > 0 && all.length > 1 ? all.slice(1) : all;
    for (const line of usable.reverse()) {
      if (request.after !== undefined && line.at <= request.after) return { lines, nextToken: undefined };
      end = line.startOffset;
      if (request.before !== undefined && line.at >= request.before) continue;
      lines.push(line);
      bytes += line.bytes.length;
      if (lines.length === request.limit || bytes >= MAX_PAGE_BYTES) {
        return { lines, nextToken: end > 0 ? String(end) : undefined };
      }
    }
    if (usable.length === 0) break;
  }
  return { lines, nextToken: undefined };
}

function parseToken(token: string | undefined): number | undefined {
  if (token === undefined) return undefined;
  if (!/^\d{1,15}$/.test(token)) throw new BadLogTokenError();
  return Number(token);
}
