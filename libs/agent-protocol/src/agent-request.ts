import type * as http from 'node:http';
import { request as httpRequest } from 'node:http';
import { AgentRequestError, AgentUnreachableError, StaleEpochError } from './agent-api.js';
import type { AgentErrorBody } from './control-event.js';

export interface AgentRequest {
  readonly agent: http.Agent;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
  /** Until the reply's head has arrived. */
  readonly deadlineMs: number;
}

/** Resolves with the reply's head; a reply that is not 2xx is read and thrown as its typed error. */
export async function openReply(request: AgentRequest): Promise<http.IncomingMessage> {
  const reply = await sendOnce(request, true);
  const status = reply.statusCode ?? 0;
  if (status >= 200 && status < 300) return reply;
  throw toRequestError(status, await readAll(reply));
}

export async function readJson(reply: http.IncomingMessage): Promise<unknown> {
  const text = (await readAll(reply)).toString('utf8');
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

function sendOnce(options: AgentRequest, mayRetry: boolean): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    if (options.signal.aborted) {
      reject(abortReason(options.signal));
      return;
    }
    const headers: Record<string, string> = { host: 'agent', ...options.headers };
    if (options.body !== undefined) headers['content-length'] = String(options.body.length);
    const request = httpRequest({
      agent: options.agent,
      method: options.method,
      path: options.path,
      headers,
      signal: options.signal,
    });
    const settled = endInTime(request, options, reject);
    request.once('response', (reply) => {
      settled();
      resolve(reply);
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      settled();
      if (options.signal.aborted) reject(abortReason(options.signal));
      else if (error instanceof AgentUnreachableError) reject(error);
      // A pooled connection the agent closed while it was idle: every request of the protocol is safe to repeat.
      else if (mayRetry && request.reusedSocket && error.code === 'ECONNRESET') resolve(sendOnce(options, false));
      else reject(new AgentUnreachableError(`${options.method} ${options.path}: ${error.message}`, { cause: error }));
    });
    request.end(options.body);
  });
}

/** Without a deadline it takes as long as it takes. */
type TimedRequest = Pick<AgentRequest, 'signal' | 'method' | 'path'> & { readonly deadlineMs: number | null };

/**
 * Rejects at the deadline and when the signal aborts. A request that is destroyed tells so only once its connection is open, which may
 * take long on a host that is cut off. Gives what to call when the request is settled.
 */
export function endInTime(
  request: http.ClientRequest,
  { signal, deadlineMs, method, path }: TimedRequest,
  reject: (error: Error) => void,
): () => void {
  const end = (error: Error): void => {
    settled();
    reject(error);
    request.destroy(error);
  };
  const abort = (): void => end(abortReason(signal));
  const late = (): void => end(new AgentUnreachableError(`no reply within ${deadlineMs ?? 0} ms: ${method} ${path}`));
  const timer = deadlineMs === null ? undefined : setTimeout(late, deadlineMs);
  const settled = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  };
  signal.addEventListener('abort', abort, { once: true });
  return settled;
}

export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}

async function readAll(reply: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of reply) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new AgentUnreachableError('the connection broke inside a reply', { cause: error });
  }
  return Buffer.concat(chunks);
}

export function toRequestError(status: number, body: Buffer): Error {
  const parsed = parseErrorBody(body);
  if (parsed?.code === 'stale_epoch') return new StaleEpochError(parsed.currentEpoch ?? 0);
  return new AgentRequestError(status, parsed?.code ?? 'internal', parsed?.message ?? `the agent answered ${status}`);
}

function parseErrorBody(body: Buffer): AgentErrorBody | undefined {
  try {
    const value = JSON.parse(body.toString('utf8')) as AgentErrorBody | null;
    return value !== null && typeof value === 'object' && typeof value.code === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
