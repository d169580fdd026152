import type { IncomingMessage, ServerResponse } from 'node:http';
import { GoogleKey } from '../gcp/google-key.js';
import { GoogleRefusal } from '../gcp/google-refusal.js';
import { HttpFake } from '../http/index.js';
import { type DiscoveredCall, DiscoveryCheck } from '../spec/index.js';

export interface GoogleAsked extends DiscoveredCall {
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

/** Bytes are answered as they are, anything else as JSON. */
export type GoogleAnswer = Buffer | object | null;

/** One of Google's services of one project. What Google's own description does not allow, asked or answered, is in `violations`. */
export abstract class GoogleServiceFake extends HttpFake {
  readonly project = 'fake-project';
  readonly key = new GoogleKey(this.project);
  readonly violations: string[] = [];
  /** As Google names the methods. */
  readonly requests: string[] = [];
  /** The next calls are answered so instead. */
  readonly refusals: GoogleRefusal[] = [];
  private readonly check: DiscoveryCheck;

  constructor(spec: URL) {
    super();
    this.check = new DiscoveryCheck(spec);
  }

  /** @throws {GoogleRefusal} */
  protected abstract answer(asked: GoogleAsked): GoogleAnswer;

  protected serve(request: IncomingMessage, response: ServerResponse, text: string, bytes: Buffer): void {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', this.url);
    const isUpload = pathname.startsWith('/upload/');
    const call = this.check.find(request.method ?? 'GET', pathname.replace(/^\/upload/, ''));
    if (call === null) {
      this.violations.push(`${request.method} ${pathname}: no such method`);
      return send(response, 404, { error: { code: 404, message: 'Not Found' } });
    }
    this.requests.push(call.method);
    const refusal = this.refusals.shift() ?? this.unauthorized(request.headers.authorization);
    if (refusal !== null) return send(response, refusal.status, refusal.body);
    const body: unknown = isUpload || text === '' ? undefined : JSON.parse(text);
    this.violations.push(...this.check.request(call, query, body));
    try {
      // What is no object is a violation already.
      const answer = this.answer({ ...call, query, bytes, body: (body ?? {}) as Record<string, unknown> });
      if (!Buffer.isBuffer(answer) && answer !== null) this.violations.push(...this.check.response(call, answer));
      send(response, answer === null ? 204 : 200, answer);
    } catch (failure) {
      if (!(failure instanceof GoogleRefusal)) throw failure;
      send(response, failure.status, failure.body);
    }
  }

  private unauthorized(authorization: string | undefined): GoogleRefusal | null {
    return this.key.accepts(authorization)
      ? null
      : new GoogleRefusal(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
  }
}

function send(response: ServerResponse, status: number, answer: GoogleAnswer): void {
  const type = Buffer.isBuffer(answer) ? 'application/octet-stream' : 'application/json; charset=UTF-8';
  response.writeHead(status, { 'content-type': type });
  response.end(answer === null ? undefined : Buffer.isBuffer(answer) ? answer : JSON.stringify(answer));
}
