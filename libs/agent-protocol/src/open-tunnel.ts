import { type Agent, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { AgentUnreachableError } from './agent-api.js';
import { abortReason, endInTime, toRequestError } from './agent-request.js';

export interface TunnelRequest {
  readonly agent: Agent;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Until the tunnel is open; null: as long as it takes. */
  readonly deadlineMs: number | null;
}

/** A request that becomes a stream of raw bytes in both directions. */
export function openTunnel({ agent, path, headers, signal, deadlineMs }: TunnelRequest): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const upgrade = { host: 'agent', connection: 'Upgrade', upgrade: 'tcp' };
    const request = httpRequest({ agent, path, headers: { ...headers, ...upgrade }, signal });
    const settled = endInTime(request, { signal, deadlineMs, method: 'GET', path }, reject);
    request.once('upgrade', (_reply, socket, head) => {
      settled();
      // Who has asked all may still be answered.
      socket.allowHalfOpen = true;
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once('response', (reply) => {
      settled();
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.once('close', () => {
        reject(toRequestError(reply.statusCode ?? 0, Buffer.concat(chunks)));
      });
    });
    request.once('error', (error) => {
      settled();
      if (signal.aborted) reject(abortReason(signal));
      else reject(new AgentUnreachableError(error.message, { cause: error }));
    });
    request.end();
  });
}
