import { cutLines } from '../log-lines.js';
import type { StoredChunk } from '../log-store.js';
import type { FoundEvent, SegmentRange, SinkEvent, SinkLimits } from './log-sink.js';
import { textOf, wholeCharacters } from './log-text.js';

/** A line without its end is shipped after it has waited so long for one. */
const UNFINISHED_LINE_MS = 5_000;

export interface SegmentPlan extends SegmentRange {
  readonly events: readonly SinkEvent[];
}

export interface PlanInput {
  /** The log from where the last segment ended. */
  readonly chunks: readonly StoredChunk[];
  readonly limits: SinkLimits;
  /** No event may be older: the segment before has those. */
  readonly floorAt: number;
  /** `chunks` reach the present end of the log. */
  readonly reachesEnd: boolean;
  /** Nothing will be appended. */
  readonly isClosed: boolean;
  readonly now: number;
}

/** What goes into the next request; null: wait for more. Pure. */
export function planSegment({ chunks, limits, floorAt, reachesEnd, isClosed, now }: PlanInput): SegmentPlan | null {
  const { lines, rest } = cutLines(chunks, limits.eventBytes);
  const isRestDue = rest !== undefined && reachesEnd && (isClosed || now - rest.at >= UNFINISHED_LINE_MS);
  const ready = isRestDue ? [...lines, isClosed ? rest : withoutHalf(rest)] : lines;
  const events: SinkEvent[] = [];
  let bytes = 0;
  let at = floorAt;
  let endOffset = 0;
  for (const line of ready) {
    if (line.bytes.length === 0) continue;
    const lineAt = Math.max(at, line.at);
    bytes += line.bytes.length + limits.eventOverheadBytes;
    const isFull = events.length === limits.events || bytes > limits.bytes;
    if (isFull || lineAt - (events[0]?.at ?? lineAt) > limits.spanMs) break;
    at = lineAt;
    endOffset = line.endOffset;
    events.push({ offset: line.startOffset, at, text: textOf(line.bytes) });
  }
  const [first] = events;
  if (first === undefined) return null;
  return { startOffset: first.offset, endOffset, firstAt: first.at, lastAt: at, events };
}

/** The events of a segment that was planned before, from the same bytes. Pure. */
export function eventsOfSegment(
  chunks: readonly StoredChunk[],
  segment: SegmentRange,
  limits: SinkLimits,
): readonly SinkEvent[] {
  const { lines, rest } = cutLines(chunks, limits.eventBytes);
  let at = segment.firstAt;
  return (rest === undefined ? lines : [...lines, rest]).map((line) => {
    at = Math.min(segment.lastAt, Math.max(at, line.at));
    return { offset: line.startOffset, at, text: textOf(line.bytes) };
  });
}

/**
 * What was found of a segment, as parts of the log. A request that was sent again has left everything twice: each event counts once.
 * What the service has deleted by now (the oldest goes first) is missing at the beginning. Pure.
 * @param stored how many events the segment has
 */
export function chunksOfSegment(segment: SegmentRange, stored: number, found: readonly FoundEvent[]): StoredChunk[] {
  const own = found.filter(({ at }) => at >= segment.firstAt && at <= segment.lastAt);
  const once = own.every(({ offset }) => offset !== undefined) ? byOffset(own) : withoutCopies(own, stored);
  const sizes = once.map(({ text }) => Buffer.byteLength(text));
  let startOffset = segment.endOffset - sizes.reduce((sum, size) => sum + size, 0);
  return once.flatMap(({ offset, at, text }, index) => {
    const start = offset ?? startOffset;
    startOffset = start + (sizes[index] ?? 0);
    if (start < segment.startOffset || startOffset > segment.endOffset) return [];
    return [{ startOffset: start, at, payload: Buffer.from(text) }];
  });
}

function byOffset(found: readonly FoundEvent[]): readonly FoundEvent[] {
  const events = new Map(found.map((event) => [event.offset ?? 0, event]));
  return [...events.values()].sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
}

/** Copies of the whole stand one after the other wherever the times are the same. */
function withoutCopies(found: readonly FoundEvent[], stored: number): readonly FoundEvent[] {
  const copies = stored > 0 && found.length % stored === 0 ? found.length / stored : 1;
  if (copies <= 1) return found;
  const times = Map.groupBy(found, ({ at }) => at);
  return [...times.values()].flatMap((events) => events.slice(0, Math.ceil(events.length / copies)));
}

function withoutHalf<
  T extends { readonly bytes: Uint8Array; readonly startOffset: number; readonly endOffset: number },
>(line: T): T {
  const length = wholeCharacters(line.bytes);
  return { ...line, bytes: line.bytes.subarray(0, length), endOffset: line.startOffset + length };
}
