import type { LogKey } from './log-store.js';

export const keyText = (key: LogKey): string => `${key.jobId}/${key.stream}`;

/** Who waits for news of which log, in this process. */
export class LogWatchers {
  private readonly watchers = new Map<string, Set<() => void>>();

  watch(key: LogKey, changed: () => void): () => void {
    const name = keyText(key);
    const set = this.watchers.get(name) ?? new Set();
    this.watchers.set(name, set);
    set.add(changed);
    return () => {
      set.delete(changed);
      if (set.size === 0 && this.watchers.get(name) === set) this.watchers.delete(name);
    };
  }

  notify(key: LogKey): void {
    for (const changed of this.watchers.get(keyText(key)) ?? []) changed();
  }
}
