import { CliError } from '../errors/cli-error.js';
import type { CliContext } from '../terminal/context.js';
import { Progress } from '../terminal/progress.js';

const POLL_MS = 1_000;

export interface WaitFor<T> {
  readonly look: () => Promise<T>;
  /** undefined: reached; else what is waited for. */
  readonly waiting: (value: T) => string | undefined;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly onLimit: string;
}

/** Looks until it is so, with the reason and a clock on stderr. @throws {CliError} at the limit */
export async function waitFor<T>(context: CliContext, wait: WaitFor<T>): Promise<T> {
  const progress = new Progress(context, { clock: true });
  const until = context.now() + wait.limitMs;
  try {
    for (;;) {
      const value = await wait.look();
      const reason = wait.waiting(value);
      if (reason === undefined) return value;
      progress.update(reason);
      if (context.now() > until)
        throw new CliError(`${reason}: not within ${wait.limitMs / 60_000} minutes.`, { hint: wait.onLimit });
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        wait.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
      });
      if (wait.signal.aborted) throw new CliError('Stopped waiting; it goes on.', { exitCode: 130 });
    }
  } finally {
    progress.clear();
  }
}
