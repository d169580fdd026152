import { readFile } from 'node:fs/promises';
import { whenDiskHasRoom } from '../files/when-disk-has-room.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';

export class StaleEpoch extends Error {
  constructor(readonly currentEpoch: number) {
    super(`another server controls this host (epoch ${currentEpoch})`);
  }
}

/** Fencing: the highest epoch ever seen outlives the agent, so that a server which lost its lease can never act here again. */
export class EpochGate {
  private readonly superseded = new Map<number, AbortController>();
  private saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private highest: number,
  ) {}

  static async open(path: string): Promise<EpochGate> {
    const text = await readFile(path, 'utf8').catch(() => '0');
    return new EpochGate(path, Number(text) || 0);
  }

  /** Gives the signal that ends this epoch's control streams when a newer one appears. @throws {StaleEpoch} */
  async admit(epoch: number): Promise<AbortSignal> {
    if (epoch < this.highest) throw new StaleEpoch(this.highest);
    if (epoch > this.highest) {
      this.highest = epoch;
      this.saving = this.saving.then(() => whenDiskHasRoom(() => writeFileAtomically(this.path, String(this.highest))));
      for (const [older, controller] of this.superseded) {
        if (older < epoch) {
          controller.abort();
          this.superseded.delete(older);
        }
      }
    }
    await this.saving;
    if (epoch < this.highest) throw new StaleEpoch(this.highest);
    let controller = this.superseded.get(epoch);
    if (controller === undefined) {
      controller = new AbortController();
      this.superseded.set(epoch, controller);
    }
    return controller.signal;
  }
}
