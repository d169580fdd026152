import type { IncomingMessage } from 'node:http';
import { AgentUnreachableError } from './agent-api.js';
import { abortReason } from './agent-request.js';

/** Chunks of a long reply. Throws when it breaks, is aborted, or stays silent longer than the agent's heartbeats allow. */
export async function* readChunks(
  reply: IncomingMessage,
  silenceLimitMs: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let silent = false;
  let timer: NodeJS.Timeout | undefined;
  // Runs only while we wait for bytes: a slow consumer is not a silent agent.
  const arm = (): void => {
    timer = setTimeout(() => {
      silent = true;
      reply.destroy();
    }, silenceLimitMs);
  };
  const onAbort = (): void => {
    reply.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    arm();
    for await (const chunk of reply) {
      clearTimeout(timer);
      yield chunk as Buffer;
      arm();
    }
    if (!reply.complete) throw new Error('ended early');
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    const why = silent ? `silent for ${silenceLimitMs} ms` : error instanceof Error ? error.message : String(error);
    throw new AgentUnreachableError(`the stream from the agent broke: ${why}`, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    reply.destroy();
  }
}
