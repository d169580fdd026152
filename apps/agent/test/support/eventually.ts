import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is neither undefined nor false. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  timeoutMs = 15_000,
): Promise<Exclude<T, undefined | false>> {
  const due = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (Date.now() > due) throw new Error(`not within ${timeoutMs} ms`);
    await delay(20);
  }
}
