import { setTimeout as wait } from 'node:timers/promises';
import { DstackError } from '../errors.js';

/** @throws {DstackError} of kind `aborted` */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, signal ? { signal } : {});
  } catch (cause) {
    throw new DstackError('aborted', 'The call was cancelled.', { cause });
  }
}
