import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is true. */
export async function eventually(ask: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const due = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > due) throw new Error(`not within ${timeoutMs} ms`);
    await delay(50);
  }
}
