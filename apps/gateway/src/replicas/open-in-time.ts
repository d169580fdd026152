import type { Duplex } from 'node:stream';

export type After = (ms: number, then: () => void) => { cancel(): void };

/** A replica behind a connection that hangs is given up for another one. */
const CHANNEL_MS = 5_000;

/** @param late what did not happen */
export function openInTime(opening: Promise<Duplex>, after: After, late: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = after(CHANNEL_MS, () => {
      isLate = true;
      reject(new Error(`${late} within ${CHANNEL_MS / 1000} s`));
    });
    opening.then(
      (stream) => {
        timer.cancel();
        // One that comes when nobody waits for it any more.
        if (isLate) stream.on('error', () => undefined).destroy();
        else resolve(stream);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
