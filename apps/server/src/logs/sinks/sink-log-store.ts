import type { FileLogStore } from '../file-log-store.js';
import type { LogChunk, LogKey, LogSlice, LogStore, StoredChunk } from '../log-store.js';
import { keyText } from '../log-watchers.js';
import type { SqlLogStore } from '../sql-log-store.js';
import type { LogBacklog } from './log-backlog.js';
import type { LogSegments, StoredSegment } from './log-segments.js';
import type { LogSink } from './log-sink.js';
import { chunksOfSegment } from './segment.js';

/** Who follows a page of a log asks for the same segment again; of 1 MiB each. */
const KNOWN_SEGMENTS = 16;

export interface SinkLogStoreParts {
  /** Where logs are until they are shipped, and a while after. */
  readonly recent: SqlLogStore;
  readonly segments: LogSegments;
  readonly sink: LogSink;
  readonly backlog: LogBacklog;
  /** Logs that were begun there go on there. */
  readonly files: FileLogStore | null;
}

/**
 * Logs that a service keeps. An append is durable in the database when it resolves, so agents forget nothing that the service does not have
 * yet; the shipper brings it there. Readers see both as one log.
 */
export class SinkLogStore implements LogStore {
  private readonly known = new Map<string, Promise<readonly StoredChunk[]>>();

  constructor(private readonly parts: SinkLogStoreParts) {}

  async endOffset(key: LogKey): Promise<number> {
    return (await this.placeOf(key)).endOffset(key);
  }

  async append(key: LogKey, startOffset: number, chunks: readonly LogChunk[], onWritten?: () => void): Promise<number> {
    const place = await this.placeOf(key);
    if (place === this.parts.recent)
      await this.parts.backlog.require(chunks.reduce((sum, { payload }) => sum + payload.length, 0));
    return place.append(key, startOffset, chunks, onWritten);
  }

  async complete(key: LogKey): Promise<void> {
    await (await this.placeOf(key)).complete(key);
  }

  async read(key: LogKey, fromOffset: number, maxBytes: number): Promise<LogSlice> {
    const place = await this.placeOf(key);
    const slice = await place.read(key, fromOffset, maxBytes);
    const until = slice.chunks[0]?.startOffset ?? slice.endOffset;
    if (place !== this.parts.recent || maxBytes <= 0 || fromOffset >= until) return slice;
    const shipped = await this.readShipped(key, { from: fromOffset, until, maxBytes });
    const end = (shipped[0]?.startOffset ?? until) + maxBytes;
    return { ...slice, chunks: [...shipped, ...slice.chunks.flatMap((chunk) => part(chunk, fromOffset, end))] };
  }

  async offsetAfter(key: LogKey, at: number): Promise<number> {
    const place = await this.placeOf(key);
    const recent = await place.offsetAfter(key, at);
    if (place !== this.parts.recent) return recent;
    const segment = await this.parts.segments.after(key, at);
    if (segment === null || segment.startOffset >= recent) return recent;
    // Where the segment is still here, so is this answer.
    const { chunks } = await place.read(key, segment.startOffset, 1);
    if (chunks[0]?.startOffset === segment.startOffset) return recent;
    const first = (await this.chunksOf(key, segment)).find((chunk) => chunk.at > at);
    return first?.startOffset ?? segment.endOffset;
  }

  watch(key: LogKey, changed: () => void): () => void {
    const stops = [this.parts.recent.watch(key, changed), this.parts.files?.watch(key, changed)];
    return () => stops.forEach((stop) => stop?.());
  }

  /** What the service has stays there: it may be kept for reasons of its own. */
  async deleteRun(projectName: string, runName: string, jobIds: readonly string[]): Promise<void> {
    await this.parts.recent.deleteRun(projectName, runName, jobIds);
    await this.parts.files?.deleteRun(projectName, runName, jobIds);
  }

  externalUrl(key: LogKey): string | null {
    return this.parts.sink.externalUrl(key);
  }

  async close(): Promise<void> {
    await Promise.all([this.parts.recent.close(), this.parts.files?.close(), this.parts.sink.close()]);
  }

  private async placeOf(key: LogKey): Promise<FileLogStore | SqlLogStore> {
    const { recent, files } = this.parts;
    return files !== null && (await files.has(key)) ? files : recent;
  }

  /** So many bytes from the first one that there is; nothing where the service has nothing of it (any more). */
  private async readShipped(
    key: LogKey,
    { from, until, maxBytes }: { readonly from: number; readonly until: number; readonly maxBytes: number },
  ): Promise<readonly StoredChunk[]> {
    const found: StoredChunk[] = [];
    if (!this.parts.sink.isReadable) return found;
    for (let offset = from, end = until; offset < end;) {
      const segment = await this.parts.segments.at(key, offset);
      if (segment === null || segment.startOffset >= end) break;
      const chunks = await this.chunksOf(key, segment);
      const [first] = chunks.flatMap((chunk) => part(chunk, offset, until));
      if (found.length === 0 && first !== undefined) end = Math.min(until, first.startOffset + maxBytes);
      found.push(...chunks.flatMap((chunk) => part(chunk, offset, end)));
      offset = segment.endOffset;
    }
    return found;
  }

  private chunksOf(key: LogKey, segment: StoredSegment): Promise<readonly StoredChunk[]> {
    const name = `${keyText(key)}/${segment.startOffset}`;
    const known = this.known.get(name);
    this.known.delete(name);
    const reading =
      known ?? this.parts.sink.get(key, segment).then((found) => chunksOfSegment(segment, segment.events, found));
    this.known.set(name, reading);
    reading.catch(() => this.known.delete(name));
    const [oldest] = this.known.keys();
    if (this.known.size > KNOWN_SEGMENTS && oldest !== undefined) this.known.delete(oldest);
    return reading;
  }
}

/** Of a chunk, between two offsets. */
function part({ startOffset, at, payload }: StoredChunk, from: number, until: number): StoredChunk[] {
  const start = Math.max(startOffset, from);
  const end = Math.min(startOffset + payload.length, until);
  if (end <= start) return [];
  return [{ startOffset: start, at, payload: payload.subarray(start - startOffset, end - startOffset) }];
}
