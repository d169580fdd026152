import { setTimeout as delay } from 'node:timers/promises';

const RETRY_MS = 200;

/**
 * Tries again for as long as the disk (or the owner's quota) is full: what must be on disk before others are told, and what must not be
 * dropped, waits for room. Whoever may not wait so long ends the process.
 */
export async function whenDiskHasRoom<T>(work: () => Promise<T>, retryMs = RETRY_MS): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await delay(retryMs);
    }
  }
}

function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
