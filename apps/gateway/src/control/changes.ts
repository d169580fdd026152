/** Lets whoever asks wait until something has changed. */
export class Changes {
  private count = 1;
  private readonly waiting = new Set<() => void>();

  get current(): number {
    return this.count;
  }

  tell(): void {
    this.count += 1;
    for (const wake of [...this.waiting]) wake();
  }

  /** Resolves when the count is beyond `after`, after `ms`, or when the signal aborts. */
  wait(after: number, ms: number, signal: AbortSignal): Promise<void> {
    if (this.count > after || ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.waiting.add(done);
    });
  }
}
