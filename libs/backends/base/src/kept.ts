import { isBackendError } from './backend-error.js';
import { type Call, withinCall } from './call.js';

interface Entry<T> {
  readonly until: number;
  readonly value: Promise<T>;
  /** Who asked: its time is the time of the answer. */
  readonly asker: Call;
}

/**
 * Answers of a cloud that change seldom: asked for once at a time, kept for a while; failures are not kept. Who waits for what somebody else
 * has asked for has its own time for it: it asks itself when the other one had less, and got no answer.
 */
export class Kept<T> {
  private readonly entries = new Map<string, Entry<T>>();

  constructor(
    private readonly forMs: number,
    private readonly now: () => number,
  ) {}

  async get(key: string, call: Call, ask: () => Promise<T>): Promise<T> {
    const known = this.entries.get(key);
    if (known === undefined || known.until <= this.now()) return this.begin(key, call, ask);
    try {
      return await withinCall(call, () => known.value, this.now);
    } catch (error) {
      if (isAnswer(error) || this.isOver(call) || !hadLessTime(known.asker, call)) throw error;
      return this.get(key, call, ask);
    }
  }

  forget(key: string): void {
    this.entries.delete(key);
  }

  private begin(key: string, asker: Call, ask: () => Promise<T>): Promise<T> {
    const entry = { until: this.now() + this.forMs, value: ask(), asker };
    this.entries.set(key, entry);
    entry.value.catch(() => {
      if (this.entries.get(key) === entry) this.forget(key);
    });
    return entry.value;
  }

  private isOver({ signal, deadline }: Call): boolean {
    return signal.aborted || this.now() >= deadline;
  }
}

/** The same for everybody, however much time there is. */
function isAnswer(error: unknown): boolean {
  return isBackendError(error) && error.failure.kind !== 'outage';
}

function hadLessTime(asker: Call, call: Call): boolean {
  return asker.signal.aborted || asker.deadline < call.deadline;
}
