import type { AuthClient } from 'google-auth-library';

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];
const REQUEST_MS = 20_000;

/** An answer that is no success, in Google's words. */
export class GoogleError extends Error {
  override readonly name = 'GoogleError';
  /** @param status of HTTP; 0: there was no answer */
  constructor(
    readonly status: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Google's REST services, as the machine's Google credentials allow. The library for them is loaded with the first request. */
export class GoogleClient {
  private auth: Promise<AuthClient> | null = null;

  constructor(private readonly baseUrl: string) {}

  /** @throws {GoogleError} */
  async send(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      const headers = new Headers(init.headers);
      for (const [name, value] of await this.credentials()) headers.set(name, value);
      response = await fetch(`${this.baseUrl}${path}`, { ...init, headers, signal: AbortSignal.timeout(REQUEST_MS) });
    } catch (error) {
      if (error instanceof GoogleError) throw error;
      throw new GoogleError(0, reasonOf(error), { cause: error });
    }
    if (response.ok) return response;
    throw new GoogleError(response.status, await messageOf(response));
  }

  async json(path: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return (await this.send(path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  }

  private async credentials(): Promise<Headers> {
    try {
      this.auth ??= open();
      return await (await this.auth).getRequestHeaders(this.baseUrl);
    } catch (error) {
      this.auth = null;
      throw new GoogleError(401, `no credentials of Google: ${reasonOf(error)}`, { cause: error });
    }
  }
}

async function open(): Promise<AuthClient> {
  const { GoogleAuth, JWT } = await import('google-auth-library');
  const client = await new GoogleAuth({ scopes: SCOPES }).getClient();
  // A key signs tokens itself, which Google's APIs take: no second service to reach.
  if (client instanceof JWT) client.useJWTAccessWithScope = true;
  return client;
}

async function messageOf(response: Response): Promise<string> {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === 'string') return error.message;
  } catch {
    // no JSON: a proxy in between, most likely
  }
  return `HTTP ${response.status}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
