import type { IncomingMessage } from 'node:http';
import { AgentUnreachableError } from './agent-api.js';
import { abortReason } from './agent-request.js';

/** So much may wait here for a consumer that is busy. */
const MOST_WAITING = 64;

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
    for await (const chunk of chunksOf(reply)) {
      clearTimeout(timer);
      yield chunk;
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

/** As they came. Node's own iteration joins what has come meanwhile, which copies every byte of a fast stream once more. */
async function* chunksOf(reply: IncomingMessage): AsyncGenerator<Buffer> {
  const waiting: Buffer[] = [];
  let failure: Error | undefined;
  let wake = (): void => undefined;
  reply.on('data', (chunk: Buffer) => {
    if (waiting.push(chunk) >= MOST_WAITING) reply.pause();
    wake();
  });
  reply.once('error', (error) => {
    failure = error;
    wake();
  });
  let over = false;
  for (const event of ['end', 'close'])
    reply.once(event, () => {
      over = true;
      wake();
    });
  for (;;) {
    const chunk = waiting.shift();
    if (chunk !== undefined) {
      yield chunk;
      continue;
    }
    if (failure !== undefined) throw failure;
    if (over) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
      reply.resume();
    });
  }
}
