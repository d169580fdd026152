import { BackendError } from './backend-error.js';

/** Every call to a cloud ends: by its result, by the caller's signal or by its deadline. */
export interface Call {
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

/** One signal for the whole call, to hand to HTTP clients and SDKs. Throws at once when the call is already over. */
export function callSignal(call: Call, now: () => number = Date.now): AbortSignal {
  call.signal.throwIfAborted();
  const leftMs = call.deadline - now();
  if (leftMs <= 0) throw deadlineError();
  return AbortSignal.any([call.signal, AbortSignal.timeout(Math.min(leftMs, 2 ** 31 - 1))]);
}

/** Fails with an `outage` at the deadline even if `work` does not honour its signal. */
export async function withinCall<T>(
  call: Call,
  work: (signal: AbortSignal) => Promise<T>,
  now: () => number = Date.now,
): Promise<T> {
  const signal = callSignal(call, now);
  let stop: () => void = () => undefined;
  const over = new Promise<never>((_resolve, reject) => {
    stop = () => reject(call.signal.aborted ? toError(call.signal.reason) : deadlineError());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work(signal), over]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function deadlineError(): BackendError {
  return new BackendError({ kind: 'outage', blocks: 'offer' }, 'the backend did not answer before the deadline');
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
