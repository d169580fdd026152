import type { AgentApi, LogFrame, LogStream } from '@dstack/agent-protocol';
import { type LogKey, LogOffsetConflictError, type LogStore } from '../logs/log-store.js';

/**
 * What may be under way beyond the last acknowledged byte. While one append waits for the disk the next one fills up, so on a disk that is slow to
 * sync, speed is this by the time of an append. More of it makes lines of other jobs wait: they come through the same connection, behind it.
 */
const WINDOW_BYTES = 5 * 1024 * 1024;

/** Of one append: the lines of other jobs wait on the same disk while it is synced. */
const MOST_AT_ONCE_BYTES = 2 * 1024 * 1024;

export interface PumpedLog {
  readonly agent: AgentApi;
  readonly store: LogStore;
  readonly key: LogKey;
  readonly stream: LogStream;
  readonly signal: AbortSignal;
}

/**
 * Brings one stream from the agent into the store and acknowledges what is durable. Resolves with the stream's length when it has
 * ended; throws when the connection breaks. Repeating it goes on where the store ends.
 */
export async function pumpLog({ agent, store, key, stream, signal }: PumpedLog): Promise<number> {
  const broken = new AbortController();
  const both = AbortSignal.any([signal, broken.signal]);
  const breakOff = (error: unknown): never => {
    broken.abort(error);
    throw error;
  };
  const acknowledgements = new Acknowledgements((durable) =>
    agent.acknowledgeLogs(key.jobId, stream, durable, both).catch(breakOff),
  );
  const writer = new BatchWriter(await store.endOffset(key), async (end, frames, onWritten) => {
    const durable = await appendFrames(store, { key, end, onWritten }, frames).catch(breakOff);
    acknowledgements.send(durable);
    return durable;
  });
  for await (const frame of agent.logs(key.jobId, stream, writer.end, WINDOW_BYTES, both)) writer.add(frame);
  const end = await writer.finish();
  await acknowledgements.sent();
  return end;
}

/** The latest offset, one request at a time: the store does not wait for the host to hear of what it has. */
class Acknowledgements {
  private latest: number | null = null;
  private sending: Promise<void> | null = null;

  constructor(private readonly acknowledge: (offset: number) => Promise<void>) {}

  send(offset: number): void {
    this.latest = offset;
    if (this.sending !== null) return;
    this.sending = this.drain();
    this.sending.catch(() => undefined); // told by `sent`, or by the aborted stream
  }

  async sent(): Promise<void> {
    await this.sending;
  }

  private async drain(): Promise<void> {
    while (this.latest !== null) {
      const offset = this.latest;
      this.latest = null;
      await this.acknowledge(offset);
    }
    this.sending = null;
  }
}

/**
 * One append at a time; frames that arrive meanwhile go into the next one, which begins when the store is ready for it. The window bounds
 * how many those are.
 */
class BatchWriter {
  private batch: LogFrame[] = [];
  private writing: Promise<void> | null = null;
  private durable: Promise<unknown> = Promise.resolve();

  /** @param end where the log ends when all is written that was given away */
  constructor(
    public end: number,
    private readonly write: (end: number, frames: readonly LogFrame[], onWritten: () => void) => Promise<number>,
  ) {}

  add(frame: LogFrame): void {
    this.batch.push(frame);
    if (this.writing !== null) return;
    this.writing = this.drain();
    this.writing.catch(() => undefined); // told by `finish`, or by the aborted stream
  }

  async finish(): Promise<number> {
    await this.writing;
    await this.durable;
    return this.end;
  }

  private take(): readonly LogFrame[] {
    let bytes = 0;
    const end = this.batch.findIndex(({ payload }) => (bytes += payload.length) >= MOST_AT_ONCE_BYTES);
    const rest = end === -1 ? [] : this.batch.slice(end + 1);
    const taken = end === -1 ? this.batch : this.batch.slice(0, end + 1);
    this.batch = rest;
    return taken;
  }

  private async drain(): Promise<void> {
    while (this.batch.length > 0) {
      const frames = this.take();
      await new Promise<void>((resolve, reject) => {
        const durable = this.write(this.end, frames, resolve);
        this.durable = Promise.all([this.durable, durable]).then(() => undefined);
        this.durable.catch(() => undefined); // told by `finish`, or by the aborted stream
        durable.then(() => resolve(), reject);
      });
      this.end = Math.max(this.end, frames.at(-1)?.endOffset ?? 0);
    }
    this.writing = null;
  }
}

interface AppendPlace {
  readonly key: LogKey;
  readonly end: number;
  readonly onWritten: () => void;
}

async function appendFrames(
  store: LogStore,
  { key, end, onWritten }: AppendPlace,
  frames: readonly LogFrame[],
): Promise<number> {
  const fresh = frames.filter((frame) => frame.endOffset > end);
  const [first] = fresh;
  if (first === undefined) return end;
  // A frame that overlaps what is stored is cut; a gap is an error that the store tells.
  const startOffset = first.endOffset - first.payload.length;
  const overlap = Math.max(0, end - startOffset);
  const chunks = fresh.map((frame, index) => ({
    at: frame.at,
    payload: index === 0 && overlap > 0 ? frame.payload.subarray(overlap) : frame.payload,
  }));
  try {
    return await store.append(key, startOffset + overlap, chunks, onWritten);
  } catch (error) {
    if (error instanceof LogOffsetConflictError && error.endOffset >= (fresh.at(-1)?.endOffset ?? 0))
      return error.endOffset;
    throw error;
  }
}
