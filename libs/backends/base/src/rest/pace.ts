import type { BackendEnvironment } from '../definition.js';

/** Lets requests go one after the other, at least so far apart: for clouds that count them. */
export class Pace {
  private nextAt = 0;

  constructor(
    private readonly spacingMs: number,
    private readonly environment: Pick<BackendEnvironment, 'now' | 'sleep'>,
  ) {}

  async wait(signal: AbortSignal): Promise<void> {
    const now = this.environment.now();
    const at = Math.max(now, this.nextAt);
    this.nextAt = at + this.spacingMs;
    if (at > now) await this.environment.sleep(at - now, signal);
  }
}
