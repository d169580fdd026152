import type { GpuFact } from '@dstack/agent-protocol';
import { pickGpus } from './pick-gpus.js';

export class NotEnoughGpusError extends Error {
  override readonly name = 'NotEnoughGpusError';
}

/** Which job holds which device. */
export class GpuLock {
  private readonly holders = new Map<string, string>();
  private readonly order: readonly string[];

  constructor(gpus: readonly GpuFact[]) {
    this.order = gpus.map((gpu) => gpu.lockId);
  }

  /**
   * A job that has some already gets the same again. -1 means all of the host's, however many they are.
   * @throws {NotEnoughGpusError}
   */
  acquire(jobId: string, count: number): string[] {
    const held = [...this.holders].flatMap(([id, holder]) => (holder === jobId ? [id] : []));
    if (held.length > 0) return held;
    const wanted = count < 0 ? this.order.length : count;
    const free = new Set(this.order.filter((id) => !this.holders.has(id)));
    const taken = pickGpus(this.order, free, wanted);
    if (taken === undefined) {
      throw new NotEnoughGpusError(
        `the job needs ${wanted} GPUs; ${free.size} of this host's ${this.order.length} are free`,
      );
    }
    for (const id of taken) this.holders.set(id, jobId);
    return taken;
  }

  /** For a job that an earlier agent started: it holds them, whether this agent sees the devices or not. */
  restore(jobId: string, ids: readonly string[]): void {
    for (const id of ids) this.holders.set(id, jobId);
  }

  release(jobId: string): void {
    for (const [id, holder] of this.holders) if (holder === jobId) this.holders.delete(id);
  }
}
