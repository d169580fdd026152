interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
}

/** Keys of what was asked for once are kept in two halves, so that the older one can go at once. */
const MOST_ASKED = 20_000;

/**
 * What was made more than once, while there is room for it: what nobody has asked for the longest goes first. What is made the first time is not
 * kept – somebody who leafs through everything would only push out what others look at again and again.
 */
export class Remembered<Value> {
  /** In the order in which they were asked for last. */
  private readonly entries = new Map<string, Entry<Value>>();
  private bytes = 0;
  private asked = new Set<string>();
  private askedBefore = new Set<string>();

  constructor(private readonly mostBytes: number) {}

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /** Whether what is made now for a key shall be kept. */
  isWorthKeeping(key: string): boolean {
    if (this.entries.has(key) || this.asked.has(key) || this.askedBefore.has(key)) return true;
    if (this.asked.size >= MOST_ASKED / 2) [this.askedBefore, this.asked] = [this.asked, new Set()];
    this.asked.add(key);
    return false;
  }

  keep(key: string, value: Value, bytes: number): void {
    this.forget(key);
    this.entries.set(key, { value, bytes });
    this.bytes += bytes;
    if (this.bytes <= this.mostBytes) return;
    for (const oldest of this.entries.keys()) {
      this.forget(oldest);
      if (this.bytes <= this.mostBytes) return;
    }
  }

  private forget(key: string): void {
    this.bytes -= this.entries.get(key)?.bytes ?? 0;
    this.entries.delete(key);
  }
}
