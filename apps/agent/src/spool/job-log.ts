import { type FSWatcher, watch } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { LogFrame, LogStream } from '@dstack/agent-protocol';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { ackPath, listSegments } from './segment-files.js';
import { SpoolCursor } from './spool-cursor.js';
import { WakeSignal } from './wake-signal.js';

/** Inotify tells at once; this only covers file systems that do not. */
const FALLBACK_POLL_MS = 1000;

/** One stream of one job as the server sees it: frames under flow control, acknowledgements, trimming. */
export class JobLog {
  private acknowledged = 0;
  private readonly changed = new WakeSignal();
  private readonly ready: Promise<void>;

  constructor(
    private readonly dir: string,
    private readonly stream: LogStream,
    /** The stream's length once nobody can add to it. */
    private readonly finalEnd: () => number | undefined,
  ) {
    this.ready = readFile(ackPath(dir, stream), 'utf8').then(
      (text) => {
        this.acknowledged = Number(text) || 0;
      },
      () => undefined,
    );
  }

  /** The job's state changed, so the log may now be complete. */
  wake(): void {
    this.changed.wake();
  }

  /** Ends when the log is complete; at most `windowBytes` beyond the last acknowledgement are given. */
  async *frames(from: number, windowBytes: number, signal: AbortSignal): AsyncGenerator<LogFrame> {
    await this.ready;
    const cursor = new SpoolCursor(this.dir, this.stream, from);
    const watcher = this.watch();
    try {
      while (!signal.aborted) {
        // Asked before reading: bytes written after a final end was known do not exist.
        const end = this.finalEnd();
        const frames = await cursor.next();
        for (const frame of frames) {
          for (const piece of split(frame, windowBytes)) {
            while (!signal.aborted && piece.endOffset > this.acknowledged + windowBytes) {
              await this.changed.wait(60_000, signal);
            }
            if (signal.aborted) return;
            yield piece;
          }
        }
        if (frames.length > 0) continue;
        // Shorter than the end promised: the rest is not on disk, and nobody is left to write it.
        if (end !== undefined) return;
        await this.changed.wait(FALLBACK_POLL_MS, signal);
      }
    } finally {
      watcher?.close();
      await cursor.close();
    }
  }

  async acknowledge(offset: number): Promise<void> {
    await this.ready;
    if (offset <= this.acknowledged) return;
    this.acknowledged = offset;
    await writeFileAtomically(ackPath(this.dir, this.stream), String(offset));
    const segments = await listSegments(this.dir, this.stream);
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1];
      // The last one stays: its writer may still be appending to it.
      if (next !== undefined && next.startOffset <= offset) await rm(segment.path, { force: true });
    }
    this.changed.wake();
  }

  private watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.dir, () => {
        this.changed.wake();
      });
      watcher.on('error', () => undefined);
      return watcher;
    } catch {
      return undefined;
    }
  }
}

/** A frame larger than the window could never be sent whole. */
function* split(frame: LogFrame, windowBytes: number): Generator<LogFrame> {
  const step = Math.max(1, Math.min(64 * 1024, Math.floor(windowBytes / 2)));
  const start = frame.endOffset - frame.payload.length;
  for (let at = 0; at < frame.payload.length; at += step) {
    const payload = frame.payload.subarray(at, at + step);
    yield { at: frame.at, payload, endOffset: start + at + payload.length };
  }
}
