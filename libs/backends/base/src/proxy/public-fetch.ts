import * as http from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { environmentAgent } from './environment-agent.js';
import { proxyOf } from './proxy-of.js';

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface PublicRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

let shared: https.Agent | undefined;

/**
 * `fetch` by way of the proxy that the environment names, for lists that anybody may read: the body is streamed, and redirects are followed. A key in
 * the headers does not follow them to another host.
 */
export function publicFetch(url: string, request: PublicRequest = {}): Promise<Response> {
  return proxyOf(new URL(url)) === null ? fetch(url, request) : followed(new URL(url), request, MAX_REDIRECTS);
}

async function followed(url: URL, request: PublicRequest, left: number): Promise<Response> {
  const reply = await ask(url, request);
  const status = reply.statusCode ?? 502;
  const { location } = reply.headers;
  if (!REDIRECTS.has(status) || location === undefined) return toResponse(reply, status);
  reply.resume();
  if (left === 0) throw new Error(`${url.origin} redirects in a circle`);
  const next = new URL(location, url);
  const headers = next.host === url.host ? request.headers : {};
  return followed(next, { ...request, ...(headers === undefined ? {} : { headers }) }, left - 1);
}

async function ask(url: URL, { method = 'GET', headers, body, signal }: PublicRequest): Promise<http.IncomingMessage> {
  shared ??= environmentAgent();
  const { request } = url.protocol === 'https:' ? https : http;
  const asked = request(url, {
    method,
    headers: { 'accept-encoding': 'gzip', ...headers },
    agent: shared,
    ...(signal === undefined ? {} : { signal }),
  });
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
  });
  asked.end(body);
  return answered;
}

function toResponse(reply: http.IncomingMessage, status: number): Response {
  const isPacked = reply.headers['content-encoding'] === 'gzip';
  const headers = Object.entries(reply.headers).flatMap(([name, value]): [string, string][] =>
    typeof value !== 'string' || (isPacked && name.startsWith('content-')) ? [] : [[name, value]],
  );
  if (status === 204 || status === 304) {
    reply.resume();
    return new Response(null, { status, headers });
  }
  const text = isPacked ? unpacked(reply) : reply;
  return new Response(Readable.toWeb(text), { status, headers });
}

/** A reply that breaks off is told as such, not as one that has ended. */
function unpacked(reply: http.IncomingMessage): Readable {
  const gunzip = createGunzip();
  reply.once('error', (error) => gunzip.destroy(error));
  return reply.pipe(gunzip);
}
