import { isDstackError } from '@dstack/sdk';
import { setTimeout as wait } from 'node:timers/promises';

export interface Patience {
  readonly signal: AbortSignal;
  /** How long a server may be away (a restart, an upgrade). */
  readonly outageMs: number;
  readonly onConnection: (state: 'lost' | 'back') => void;
}

const AGAIN_MS = 1_000;

/** Repeats a read while the server cannot be reached, and tells when it is away for more than a moment. @throws what it throws then */
export async function patiently<T>(read: () => Promise<T>, patience: Patience): Promise<T> {
  const startedAt = performance.now();
  let told = false;
  for (;;) {
    try {
      const value = await read();
      if (told) patience.onConnection('back');
      return value;
    } catch (error) {
      if (patience.signal.aborted || !isOutage(error)) throw error;
      if (performance.now() - startedAt > patience.outageMs) throw error;
      if (!told) patience.onConnection('lost');
      told = true;
      await wait(AGAIN_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    }
  }
}

function isOutage(error: unknown): boolean {
  return isDstackError(error, 'connection') || isDstackError(error, 'timeout') || isDstackError(error, 'server');
}
