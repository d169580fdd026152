/** Recent terminal bytes for those who attach late, and new ones as they come. Bounded: the spool is the record, this is a view. */
const KEPT_BYTES = 1024 * 1024;

interface Chunk {
  readonly at: number;
  readonly bytes: Buffer;
}

export interface LiveWatcher {
  onOutput(bytes: Buffer): void;
  onEnd(): void;
}

export class LiveOutput {
  private chunks: Chunk[] = [];
  private keptBytes = 0;
  private ended = false;
  private readonly watchers = new Set<LiveWatcher>();

  add(bytes: Buffer, at: number): void {
    this.chunks.push({ at, bytes });
    this.keptBytes += bytes.length;
    // All at once at twice the bound: moving thousands of chunks for each new one would cost more than the output itself.
    if (this.keptBytes > 2 * KEPT_BYTES) this.trim();
    for (const watcher of this.watchers) watcher.onOutput(bytes);
  }

  watch(since: number, watcher: LiveWatcher): () => void {
    for (const chunk of this.chunks) if (chunk.at >= since) watcher.onOutput(chunk.bytes);
    if (this.ended) {
      watcher.onEnd();
      return () => undefined;
    }
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
    };
  }

  private trim(): void {
    let drop = 0;
    for (const chunk of this.chunks) {
      if (this.keptBytes <= KEPT_BYTES) break;
      this.keptBytes -= chunk.bytes.length;
      drop++;
    }
    this.chunks = this.chunks.slice(drop);
  }

  end(): void {
    this.ended = true;
    for (const watcher of this.watchers) watcher.onEnd();
    this.watchers.clear();
  }
}
