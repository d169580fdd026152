/** There were too many already, or nobody came in time. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
}

export interface WaitingRoomOptions {
  readonly places: number;
  readonly longestMs: number;
  /** Calls back once, unless it is cancelled. */
  readonly after: (ms: number, then: () => void) => { cancel(): void };
}

/** Requests to a service that has no replica right now wait here until it has one. */
export class WaitingRoom {
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: WaitingRoomOptions) {}

  get size(): number {
    return this.waiting.size;
  }

  /** @throws {NotReadyError}; the signal's reason when whoever waits has gone */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(reasonOf(signal));
    if (this.waiting.size >= this.options.places)
      return Promise.reject(new NotReadyError('too many requests wait for a replica'));
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', gone);
        this.waiting.delete(enter);
      };
      const enter = (): void => {
        leave();
        resolve();
      };
      const gone = (): void => {
        leave();
        reject(reasonOf(signal));
      };
      const timer = this.options.after(this.options.longestMs, () => {
        leave();
        reject(new NotReadyError('no replica became ready in time'));
      });
      signal.addEventListener('abort', gone, { once: true });
      this.waiting.add(enter);
    });
  }

  /** There is a replica: all go on. */
  open(): void {
    for (const enter of [...this.waiting]) enter();
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the client has gone');
}
