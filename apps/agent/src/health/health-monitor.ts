import type { HostHealth } from '@dstack/agent-protocol';
import { type Incident, judgeHealth } from './incident.js';

const INTERVAL_MS = 60_000;

/** The host's health, looked at again when somebody asks and the last look is a minute old. */
export class HealthMonitor {
  private last: Promise<HostHealth> | undefined;
  private lookedAt = 0;

  constructor(
    private readonly collect: () => Promise<readonly Incident[]>,
    private readonly now: () => number,
  ) {}

  current(): Promise<HostHealth> {
    if (this.last === undefined || this.now() - this.lookedAt >= INTERVAL_MS) {
      this.lookedAt = this.now();
      this.last = this.collect().then(judgeHealth);
    }
    return this.last;
  }
}
