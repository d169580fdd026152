import type { IncomingMessage, ServerResponse } from 'node:http';
import { DiscoveryCheck } from '../spec/index.js';
import { Gce } from './gce.js';
import type { GceOptions } from './gce-types.js';
import { GoogleKey } from './google-key.js';
import { GoogleRefusal } from './google-refusal.js';
import { Tpu, type TpuOptions } from './tpu.js';
import { HttpFake } from '../http/index.js';

export type GcpFakeOptions = Omit<GceOptions & TpuOptions, 'project'>;

/**
 * Compute Engine v1 and Cloud TPU v2 of one project on loopback. Whatever Google's own description does not allow, asked or answered, is
 * in `violations`.
 */
export class GcpFake extends HttpFake {
  readonly project = 'fake-project';
  readonly key = new GoogleKey(this.project);
  readonly violations: string[] = [];
  /** As Google names the methods, with the zone: `us-central1-a instances.insert`. */
  readonly requests: string[] = [];
  readonly gce: Gce;
  readonly tpu: Tpu;
  /** Google does not know the key any more. */
  isKeyRevoked = false;
  /** The next calls of the method are answered so instead. */
  readonly refusals: { readonly method: string; readonly refusal: GoogleRefusal; readonly headers: Headers }[] = [];
  /** The next machines are made, and the answers are lost. */
  lostInserts = 0;
  private readonly checks = {
    compute: new DiscoveryCheck(new URL('../../specs/gcp-compute-v1.json', import.meta.url)),
    tpu: new DiscoveryCheck(new URL('../../specs/gcp-tpu-v2.json', import.meta.url)),
  };

  private constructor(options: GcpFakeOptions) {
    super();
    this.gce = new Gce({ project: this.project, ...options });
    this.tpu = new Tpu({ project: this.project, ...options });
  }

  static start(options: GcpFakeOptions): Promise<GcpFake> {
    return new GcpFake(options).listen();
  }

  refuseNext(
    method: string,
    [status, reason, message = `refused with ${status}`]: readonly [status: number, reason: string, message?: string],
    headers: Readonly<Record<string, string>> = {},
  ): void {
    this.refusals.push({ method, refusal: new GoogleRefusal(status, reason, message), headers: new Headers(headers) });
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', this.url);
    const service = pathname.startsWith('/compute/') ? 'compute' : 'tpu';
    const check = this.checks[service];
    const call = check.find(request.method ?? 'GET', pathname);
    if (call === null) {
      this.violations.push(`${request.method} ${pathname}: no such method`);
      return send(response, 404, { error: { code: 404, message: 'Not Found' } });
    }
    const zone = call.parameters.get('zone') ?? call.parameters.get('locationsId') ?? '';
    this.requests.push(`${zone} ${call.method}`.trim());
    const refused = this.takeRefusal(call.method, service, request.headers.authorization);
    if (refused !== null) return send(response, refused.refusal.status, refused.refusal.body, refused.headers);
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    this.violations.push(...check.request(call, query, body));
    try {
      // What is no object is a violation already.
      const given = { ...call, query, body: (body ?? {}) as Record<string, unknown> };
      const answer = service === 'compute' ? this.gce.answer(given) : this.tpu.answer(given);
      this.violations.push(...check.response(call, answer));
      if (this.isLost(call.method)) return void response.destroy();
      send(response, 200, answer);
    } catch (failure) {
      if (!(failure instanceof GoogleRefusal)) throw failure;
      send(response, failure.status, failure.body);
    }
  }

  private takeRefusal(method: string, service: string, authorization: string | undefined) {
    const index = this.refusals.findIndex((each) => each.method === method);
    if (index !== -1) return this.refusals.splice(index, 1)[0] ?? null;
    if (!this.isKeyRevoked && this.key.accepts(authorization)) return null;
    const message =
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.';
    const reason = service === 'compute' ? 'authError' : 'UNAUTHENTICATED';
    return { method, refusal: new GoogleRefusal(401, reason, message), headers: new Headers() };
  }

  private isLost(method: string): boolean {
    if (!/(instances\.insert|nodes\.create)$/.test(method) || this.lostInserts === 0) return false;
    this.lostInserts -= 1;
    return true;
  }
}

function send(response: ServerResponse, status: number, body: unknown, headers = new Headers()): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...Object.fromEntries(headers) });
  response.end(JSON.stringify(body));
}
