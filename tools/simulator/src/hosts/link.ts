import { AgentUnreachableError } from '@dstack/agent-protocol';
import { asError, type ServerEpoch } from '../servers/server-epoch.js';
import type { VirtualTime } from '../time/virtual-time.js';

export interface LinkWait {
  readonly time: VirtualTime;
  readonly server: ServerEpoch;
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

/** One connection from one server to one agent or gateway; it breaks as a whole. */
export class Link {
  private broken: Error | null = null;
  private readonly waiting = new Set<() => void>();

  break(why: string): void {
    this.broken ??= new AgentUnreachableError(why);
    this.wake();
  }

  assertWhole(): void {
    if (this.broken !== null) throw this.broken;
  }

  /** Resolves when something changed (false) or after the time (true); only for a living server. */
  untilWoken({ time, server, signal, limitMs }: LinkWait): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(asError(signal.reason));
      const end = (finish: () => void): void => {
        timer.cancel();
        this.waiting.delete(onChange);
        stopHearing();
        server.deliver(finish);
      };
      const onChange = (): void => end(() => resolve(false));
      const timer = time.after(limitMs, () => end(() => resolve(true)));
      this.waiting.add(onChange);
      const stopHearing = server.onAbort(signal, () => end(() => reject(asError(signal.reason))));
    });
  }

  wake(): void {
    const tasks = [...this.waiting];
    this.waiting.clear();
    for (const task of tasks) task();
  }
}
