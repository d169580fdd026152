import type { Dstack } from '@dstack/sdk';
import { rollout } from '../render/rollout-text.js';

const POLL_MS = 1_000;

/** Says how an update of a service goes, beside its log, until it is through or taken back. Gives up quietly: the log goes on. */
export async function tellRollout(
  client: Dstack,
  name: string,
  options: { readonly say: (text: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { say, signal } = options;
  let told = '';
  try {
    for await (const run of client.runs.handle(name).watch({ signal, pollMs: POLL_MS })) {
      const { text, isOver } = rollout(run);
      if (text !== told) say(text);
      told = text;
      if (isOver) return;
    }
  } catch {
    // Whoever follows the run learns of the server's trouble there.
  }
}
