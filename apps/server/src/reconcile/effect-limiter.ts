/** At most `limit` effects of one account at a time; the others wait in order. */
export class EffectLimiter {
  private readonly accounts = new Map<string, { running: number; readonly waiting: (() => void)[] }>();

  constructor(private readonly limit: number) {}

  async run<T>(account: string, work: () => Promise<T>): Promise<T> {
    const state = this.accounts.get(account) ?? { running: 0, waiting: [] };
    this.accounts.set(account, state);
    if (state.running >= this.limit) await new Promise<void>((resolve) => state.waiting.push(resolve));
    else state.running += 1;
    try {
      return await work();
    } finally {
      const next = state.waiting.shift();
      if (next !== undefined) next();
      else {
        state.running -= 1;
        if (state.running === 0) this.accounts.delete(account);
      }
    }
  }
}
