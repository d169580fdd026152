import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until the answer is something. @throws {Error} after `limitMs`, telling the last answer. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, limitMs = 30_000): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs / 1000} s in vain for: ${what}`);
    await sleep(100);
  }
}
