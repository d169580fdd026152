import * as http from 'node:http';
import * as https from 'node:https';
import { environmentAgent } from './environment-agent.js';

interface Asked {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
  readonly signal: AbortSignal;
}

let shared: https.Agent | undefined;

/** `fetch` takes no agent. A redirect is an error here: it would take what proves who asks somewhere else. */
export async function fetchByEnvironment(url: URL, { method, headers, body, signal }: Asked): Promise<Response> {
  shared ??= environmentAgent();
  const { request } = url.protocol === 'https:' ? https : http;
  const asked = request(url, { method, headers: { ...headers }, signal, agent: shared });
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
  });
  asked.end(body ?? undefined);
  const reply = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk as Buffer);
  const status = reply.statusCode ?? 502;
  if (status >= 300 && status < 400) throw new Error(`it answers with a redirect (${status})`);
  const content = status === 204 ? null : Buffer.concat(chunks);
  return new Response(content, { status, headers: plainHeaders(reply.headers) });
}

function plainHeaders(headers: http.IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as [string, string]],
  );
}
