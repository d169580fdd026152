/** Answers of a cloud that change seldom: asked for once at a time, kept for a while; failures are not kept. */
export class Kept<T> {
  private readonly entries = new Map<string, { readonly until: number; readonly value: Promise<T> }>();

  constructor(
    private readonly forMs: number,
    private readonly now: () => number,
  ) {}

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.entries.get(key);
    if (known !== undefined && known.until > this.now()) return known.value;
    const value = ask();
    this.entries.set(key, { until: this.now() + this.forMs, value });
    value.catch(() => this.forget(key));
    return value;
  }

  forget(key: string): void {
    this.entries.delete(key);
  }
}
