import type { LiveOutput } from '../job/live-output.js';

/** Past this a reader that cannot keep up loses the oldest it has not read. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** The kept output from `startTime`, then what comes, as a reader asks for it. */
export async function* tailLive(
  live: LiveOutput | undefined,
  startTime = 0,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (live === undefined) return;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let droppedBytes = 0;
  let ended = false;
  let wake: () => void = () => undefined;
  const unwatch = live.watch(startTime, {
    onOutput: (bytes) => {
      waiting.push(bytes);
      waitingBytes += bytes.length;
      while (waitingBytes > MAX_WAITING_BYTES) {
        const oldest = waiting.shift();
        waitingBytes -= oldest?.length ?? 0;
        droppedBytes += oldest?.length ?? 0;
      }
      wake();
    },
    onEnd: () => {
      ended = true;
      wake();
    },
  });
  const onAbort = (): void => {
    wake();
  };
  signal?.addEventListener('abort', onAbort);
  try {
    while (signal?.aborted !== true) {
      if (droppedBytes > 0) {
        yield Buffer.from(`\r\n… ${droppedBytes} bytes dropped: this reader is too slow …\r\n`);
        droppedBytes = 0;
      }
      if (waiting.length > 0) {
        const batch = Buffer.concat(waiting);
        waiting = [];
        waitingBytes = 0;
        yield batch;
      } else if (ended) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    unwatch();
  }
}
