import { BackendError, type Call, Kept } from '@dstack/backend-base';
import type { Gce } from './client.js';
import { lastPart } from './reservation.js';
import type { GceRegion } from './schema.js';

/** With their quotas, of which the use changes. */
const KEPT_MS = 180_000;

/** What Google has where. */
export class Regions {
  private readonly kept: Kept<GceRegion[]>;

  constructor(
    private readonly gce: Gce,
    now: () => number,
  ) {
    this.kept = new Kept(KEPT_MS, now);
  }

  all(call: Call): Promise<GceRegion[]> {
    return this.kept.get('', call, () => this.gce.regions(call));
  }

  /** @throws {BackendError} when there is no such region */
  async firstZone(region: string, call: Call): Promise<string> {
    const found = (await this.all(call)).find(({ name }) => name === region);
    const [first] = (found?.zones ?? []).map(lastPart).sort();
    if (first !== undefined) return first;
    throw new BackendError({ kind: 'not-found', blocks: 'region' }, `Google Cloud has no region ${region}`);
  }
}
