import { encodeLogFrame } from '@dstack/agent-protocol';
import type { Scheduler } from '../world/scheduler.js';
import type { LogKey, LogStore } from './log-store.js';

const BLOCK_BYTES = 256 * 1024;
const HEARTBEAT_MS = 5_000;

export interface LogStreamOptions {
  readonly after: number;
  /** Wait for more until the log is complete; else end at its present end. */
  readonly follow: boolean;
  /** The job is final and its log will not grow, although nobody said it is complete. */
  readonly isOver: () => Promise<boolean>;
  readonly now: () => number;
  readonly scheduler: Scheduler;
  readonly signal: AbortSignal;
}

/** Frames of one log from an offset on; a frame without payload is a heartbeat. Pulled by its reader, so a slow one holds nothing up. */
export async function* streamLog(store: LogStore, key: LogKey, options: LogStreamOptions): AsyncGenerator<Buffer> {
  let offset = options.after;
  const news = new News();
  const unwatch = store.watch(key, () => news.arrive());
  try {
    while (!options.signal.aborted) {
      news.expect();
      const slice = await store.read(key, offset, BLOCK_BYTES);
      for (const { startOffset, at, payload } of slice.chunks) {
        offset = startOffset + payload.length;
        yield encodeLogFrame({ endOffset: offset, at, payload });
      }
      if (slice.chunks.length === 0) offset = Math.max(offset, slice.endOffset); // what was there is gone
      if (offset < slice.endOffset) continue;
      if (slice.complete || !options.follow || (await options.isOver())) {
        // What came between the read and the answer is still sent.
        if ((await store.endOffset(key)) <= offset) return;
        continue;
      }
      if (!(await news.wait(HEARTBEAT_MS, options))) {
        yield encodeLogFrame({ endOffset: offset, at: options.now(), payload: new Uint8Array() });
      }
    }
  } finally {
    unwatch();
  }
}

/** Remembers that something came since `expect`, so that nothing that comes while reading is missed. */
class News {
  private came = false;
  private wake: (() => void) | undefined;

  expect(): void {
    this.came = false;
  }

  arrive(): void {
    this.came = true;
    this.wake?.();
  }

  /** False when nothing came in time. */
  async wait(limitMs: number, { scheduler, signal }: LogStreamOptions): Promise<boolean> {
    if (this.came || signal.aborted) return true;
    await new Promise<void>((resolve) => {
      const timer = scheduler.after(limitMs, done);
      signal.addEventListener('abort', done, { once: true });
      this.wake = done;
      function done() {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
    this.wake = undefined;
    return this.came;
  }
}
