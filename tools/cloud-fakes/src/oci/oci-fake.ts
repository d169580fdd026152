import type { IncomingMessage, ServerResponse } from 'node:http';
import { findOperation, hasPages, wrongRequest, wrongResponse } from './oci-check.js';
import { OciIdentity } from './oci-identity.js';
import { OciMarketplace } from './oci-marketplace.js';
import { type Json, OciRefusal, unknownOrForbidden } from './oci-refusal.js';
import { type FakeOciInstance, type OciMachineHooks, OciRegion, type RegionQuestion } from './oci-region.js';
import { type OciAccount, whyNotSigned } from './signature.js';
import { HttpFake } from '../http/index.js';

export interface OciFakeOptions extends OciMachineHooks {
  readonly account: OciAccount;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const PAGE = 2;
const IDENTITY = /\/(tenancies|availabilityDomains|compartments)/;

/**
 * Oracle's compute, networking, identity, limits and marketplace on loopback, at `/<region>`. Signatures are checked with the account's
 * key; what Oracle's own libraries would not send or read is in `violations`.
 */
export class OciFake extends HttpFake {
  readonly violations: string[] = [];
  readonly requests: string[] = [];
  readonly identity: OciIdentity;
  readonly marketplace = new OciMarketplace();
  /** The next launches are carried out and their answers lost. */
  lostLaunches = 0;
  private readonly regions = new Map<string, OciRegion>();
  private readonly refusals: { readonly method: string; readonly part: string; readonly refusal: OciRefusal }[] = [];
  /** What was made with a token, and from what. */
  private readonly made = new Map<string, { readonly text: string; readonly body: Json }>();

  private constructor(private readonly options: OciFakeOptions) {
    super();
    this.identity = new OciIdentity(options.account.tenancy);
  }

  static start(options: OciFakeOptions): Promise<OciFake> {
    return new OciFake(options).listen();
  }

  region(name: string): OciRegion {
    const known = this.regions.get(name);
    if (known !== undefined) return known;
    const region = new OciRegion(name, this.options);
    this.regions.set(name, region);
    return region;
  }

  get instances(): FakeOciInstance[] {
    return [...this.regions.values()].flatMap((region) => [...region.instances.values()]);
  }

  /** Answers the next request of the method to a path with the part so. */
  refuseNext(method: string, part: string, refusal: OciRefusal): void {
    this.refusals.push({ method, part, refusal });
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    let answer: Answer | null;
    try {
      answer = this.answer(request, text);
    } catch (error) {
      if (!(error instanceof OciRefusal)) throw error;
      const { status, code, message, headers } = error;
      answer = { status, headers, body: { code, message } };
    }
    if (answer === null) return void response.destroy();
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      'opc-request-id': 'fake',
      ...answer.headers,
    });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  }

  /** Null: the connection breaks. @throws {OciRefusal} */
  private answer(request: IncomingMessage, text: string): Answer | null {
    const { method = '' } = request;
    const { pathname, searchParams: query } = new URL(request.url ?? '/', this.url);
    const [, regionName = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
    this.requests.push(`${regionName} ${method} ${path}`);
    const unsigned = whyNotSigned(request, text, this.options.account);
    if (unsigned !== null)
      throw new OciRefusal(401, 'NotAuthenticated', `The required information to complete authentication was not provided or was incorrect. (${unsigned})`); // prettier-ignore
    const index = this.refusals.findIndex((each) => each.method === method && path.includes(each.part));
    const refusal = index === -1 ? undefined : this.refusals.splice(index, 1)[0]?.refusal;
    if (refusal !== undefined) throw refusal;
    const operation = findOperation(method, path);
    if (operation === null) {
      this.violations.push(`${method} ${path}: no such operation in the fake`);
      throw new OciRefusal(404, 'NotFound', path);
    }
    // Everything Oracle takes here is an object.
    const body = text === '' ? {} : (JSON.parse(text) as Json);
    this.violations.push(...wrongRequest(operation.key, query, body));
    const token = request.headers['opc-retry-token'];
    const result = this.once(
      typeof token === 'string' ? token : null,
      text,
      { ...operation, query, body },
      this.region(regionName),
    );
    if (operation.key === 'POST /20160918/instances' && this.lostLaunches > 0) {
      this.lostLaunches -= 1;
      return null;
    }
    return this.answered(operation.key, result, query);
  }

  /** A token makes the second request the first one again. */
  private once(token: string | null, text: string, question: RegionQuestion, region: OciRegion): unknown {
    const known = token === null ? undefined : this.made.get(token);
    if (known !== undefined && (known.text !== text || region.hasLost(String(known.body['id']))))
      throw new OciRefusal(
        409,
        'InvalidatedRetryToken',
        'What was made with the retry token is gone, or another request made it.',
      );
    if (known !== undefined) {
      const instance = region.instances.get(String(known.body['id']));
      return instance === undefined ? known.body : region.view(instance);
    }
    const result = this.route(question, region);
    if (token !== null) this.made.set(token, { text, body: result as Json });
    return result;
  }

  private route(question: RegionQuestion, region: OciRegion): unknown {
    const { key, body } = question;
    if (key.includes('/20181001/')) return this.marketplace.answer(question);
    if (IDENTITY.test(key)) return this.identity.answer(question, region);
    if (key === 'POST /20160918/instances') {
      const { imageId } = body['sourceDetails'] as { readonly imageId: string };
      if (!this.marketplace.isAccepted(body['compartmentId'], imageId)) throw unknownOrForbidden('terms of the image');
    }
    return region.answer(question);
  }

  /** Pages are small, and the first of a list of machines is empty. */
  private answered(key: string, result: unknown, query: URLSearchParams): Answer {
    if (result === null) return { status: 204 };
    const wrong = wrongResponse(key, result);
    if (wrong !== null) this.violations.push(wrong);
    if (!Array.isArray(result) || !hasPages(key)) return { status: 200, body: result };
    const page = query.get('page');
    if (page === null && key === 'GET /20160918/instances')
      return { status: 200, body: [], headers: { 'opc-next-page': '0' } };
    const first = Number(page ?? 0);
    const isLast = first + PAGE >= result.length;
    return {
      status: 200,
      body: result.slice(first, first + PAGE),
      headers: isLast ? {} : { 'opc-next-page': String(first + PAGE) },
    };
  }
}
