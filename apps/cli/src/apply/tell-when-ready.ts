import type { Dstack } from '@dstack/sdk';
import { firstRequest, hasReadyReplica } from '../render/service-text.js';
import type { CliContext } from '../terminal/context.js';

const POLL_MS = 1_000;

/** Says how to ask a service as soon as it answers, beside its log. Gives up quietly: the log goes on. */
export async function tellWhenReady(
  client: Dstack,
  { style }: CliContext,
  name: string,
  options: { readonly say: (text: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { say, signal } = options;
  try {
    for await (const run of client.runs.handle(name).watch({ signal, pollMs: POLL_MS })) {
      if (!hasReadyReplica(run)) continue;
      const request = firstRequest(run, client.url);
      if (request !== undefined) say(`Service ${style.code(name)} is ready:\n  ${style.code(request)}`);
      return;
    }
  } catch {
    // Whoever follows the run learns of the server's trouble there.
  }
}
