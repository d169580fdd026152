import { request } from 'node:http';
import type { HttpRequest } from './http-request.js';

export interface AgentReply {
  readonly status: number;
  /** Of a stream, which would go on for ever, only that it began. */
  readonly text: string;
  readonly isStream: boolean;
}

const LIMIT_MS = 15_000;

/** @throws when the agent hangs up, or gives no whole reply in time. */
export function askAgent(socketPath: string, { method, path, headers, body }: HttpRequest): Promise<AgentReply> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers, agent: false, timeout: LIMIT_MS });
    const decide = (status: number, isStream: boolean, text: string): void => {
      resolve({ status, text, isStream });
      if (isStream) sent.destroy();
    };
    sent.once('response', (reply) => {
      const status = reply.statusCode ?? 0;
      if (reply.headers['content-length'] === undefined) return decide(status, true, '');
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.once('error', reject);
      reply.once('end', () => decide(status, false, Buffer.concat(chunks).toString('utf8')));
    });
    sent.once('upgrade', (reply) => decide(reply.statusCode ?? 0, true, ''));
    sent.once('timeout', () => sent.destroy(new Error(`no reply to ${method} ${path} in ${LIMIT_MS} ms`)));
    sent.once('error', reject);
    sent.end(body);
  });
}
