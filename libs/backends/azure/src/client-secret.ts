import { BackendError, type BackendEnvironment } from '@dstack/backend-base';
import { fetchByEnvironment } from '@dstack/backend-base/proxy';
import { explainSignIn } from './sign-in-errors.js';
import type { AccessToken, GetTokenOptions, TokenCredential } from './token-credential.js';

export interface ClientSecret {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** So long before its end a token is replaced. */
const EARLY_MS = 300_000;

/** The client credentials flow of Entra ID: one form, one token. Azure's own library for it takes 40 MB and loads for 0.3 s. */
export class ClientSecretToken implements TokenCredential {
  private kept: Promise<AccessToken> | null = null;
  private renewAt = 0;

  constructor(
    private readonly given: ClientSecret,
    private readonly authority: string,
    private readonly environment: Pick<BackendEnvironment, 'now'>,
  ) {}

  getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    if (this.kept !== null && this.environment.now() < this.renewAt) return this.kept;
    const asked = this.ask([scopes].flat().join(' '), options.abortSignal);
    this.kept = asked;
    this.renewAt = Infinity;
    asked.then(
      ({ expiresOnTimestamp }) => (this.renewAt = expiresOnTimestamp - EARLY_MS),
      () => (this.kept = null),
    );
    return asked;
  }

  /** @throws {BackendError} */
  private async ask(scope: string, signal: GetTokenOptions['abortSignal']): Promise<AccessToken> {
    const { tenantId, clientId, clientSecret } = this.given;
    const url = `${this.authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope,
    });
    const limit = AbortSignal.timeout(TOKEN_LIMIT_MS);
    let status: number;
    let body: unknown;
    try {
      const reply = await fetchByEnvironment(new URL(url), {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
        // The libraries hand on what they were given, and that is ours.
        signal: signal instanceof AbortSignal ? AbortSignal.any([signal, limit]) : limit,
      });
      status = reply.status;
      body = await reply.json();
    } catch (error) {
      throw new BackendError({ kind: 'outage', blocks: 'account' }, `no answer from ${this.authority}`, {
        cause: error,
      });
    }
    const token = readToken(body, this.environment.now());
    if (token === null) throw explainSignIn(status, body, clientSecret);
    return token;
  }
}

const TOKEN_LIMIT_MS = 15_000;

function readToken(body: unknown, now: number): AccessToken | null {
  if (typeof body !== 'object' || body === null || !('access_token' in body) || !('expires_in' in body)) return null;
  const { access_token: token, expires_in: seconds } = body;
  if (typeof token !== 'string' || typeof seconds !== 'number') return null;
  return { token, expiresOnTimestamp: now + seconds * 1000 };
}
