import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { FormBody } from './form-body.js';
import type { ServerAddress } from './server-address.js';

export interface HttpCall {
  readonly method: 'POST' | 'GET';
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is a form; absent: no body. */
  readonly body: unknown;
  readonly signal: AbortSignal;
}

/** As Node's own agent: a connection idle for as long as servers usually wait is not used again. */
const KEEP = { keepAlive: true, timeout: 5_000 };

/**
 * One server over Node's own HTTP: no redirects, connections kept for the next call, `HTTP_PROXY` and its like heeded.
 * A command line pays for what it loads: `fetch` costs 40 ms, TLS 15 ms where there is none.
 */
export class HttpClient {
  private agent: Agent | undefined;

  constructor(private readonly address: ServerAddress) {}

  /** Resolves with the head of the reply. @throws {Error} of Node when there is none, or the signal's */
  async request(call: HttpCall): Promise<IncomingMessage> {
    const url = this.urlOf(call);
    const { headers, bytes } = encode(call);
    const options = { method: call.method, headers, signal: call.signal };
    const request = await this.open(url, options);
    return new Promise((resolve, reject) => {
      // For good: what breaks after the head of the reply is told by its stream, but is an error of the request too.
      request.once('response', resolve).on('error', reject).end(bytes);
    });
  }

  private urlOf({ path, query }: HttpCall): URL {
    const url = new URL(`${this.address.baseUrl}${path}`);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  private async open(url: URL, options: RequestOptions): Promise<ClientRequest> {
    const { socketPath } = this.address;
    if (socketPath !== undefined) {
      this.agent ??= new Agent(KEEP);
      return httpRequest(url, { ...options, socketPath, agent: this.agent });
    }
    const shared = { ...KEEP, proxyEnv: process.env };
    if (url.protocol !== 'https:') return httpRequest(url, { ...options, agent: (this.agent ??= new Agent(shared)) });
    const https = await import('node:https');
    return https.request(url, { ...options, agent: (this.agent ??= new https.Agent(shared)) });
  }
}

function encode({ body, headers }: HttpCall): { headers: Record<string, string | number>; bytes: Buffer } {
  const bytes =
    body === undefined ? Buffer.alloc(0) : body instanceof FormBody ? body.bytes : Buffer.from(JSON.stringify(body));
  const type = body instanceof FormBody ? body.contentType : 'application/json';
  const own = body === undefined ? {} : { 'Content-Type': type };
  return { headers: { Accept: 'application/json, */*', ...own, 'Content-Length': bytes.length, ...headers }, bytes };
}
