import type { BackendEnvironment, Call } from '@dstack/backend-base';
import { RestClient, type RestRequest } from '@dstack/backend-base/rest';
import type { Credentials } from './credentials.js';
import { explainGcp, isFinalReply } from './errors.js';

/** One of Google's REST services, with the token of the moment. */
export class GoogleRest {
  private current: { readonly key: string; readonly client: Promise<RestClient> } | null = null;

  constructor(
    private readonly baseUrl: string,
    private readonly credentials: Credentials,
    private readonly environment: BackendEnvironment,
  ) {}

  /** @throws {BackendError} */
  async send<T>(request: RestRequest<T>, call: Call): Promise<T> {
    const headers = await this.credentials.headers(this.baseUrl, call);
    return (await this.clientWith(headers)).send(request, call);
  }

  /** All pages of a list. */
  async pages<T>(
    request: RestRequest<{ items: readonly T[]; nextPageToken?: string | undefined }>,
    call: Call,
  ): Promise<T[]> {
    const found: T[] = [];
    let pageToken = '';
    do {
      const query = { ...request.query, ...(pageToken === '' ? {} : { pageToken }) };
      const page = await this.send({ ...request, query }, call);
      found.push(...page.items);
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    return found;
  }

  private clientWith(headers: Readonly<Record<string, string>>): Promise<RestClient> {
    const key = headers.authorization ?? '';
    if (this.current?.key === key) return this.current.client;
    const client = RestClient.open({
      baseUrl: this.baseUrl,
      headers,
      secrets: [key.replace(/^Bearer /, '')],
      explain: explainGcp,
      isFinal: isFinalReply,
      environment: this.environment,
    });
    this.current = { key, client };
    return client;
  }
}
