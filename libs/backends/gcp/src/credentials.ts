import { BackendError, type Call, isBackendError, withinCall } from '@dstack/backend-base';
import type { AuthClient } from 'google-auth-library';
import { environmentAgent } from '@dstack/backend-base/proxy';
import type { GcpConfig } from './definition.js';

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];

/** Headers that let the account in. Google's library is loaded when they are first asked for. */
export class Credentials {
  private client: Promise<AuthClient> | null = null;

  constructor(
    private readonly creds: GcpConfig['creds'],
    private readonly now: () => number,
  ) {}

  /** Tokens are kept and renewed by the library. @throws {BackendError} */
  headers(url: string, call: Call): Promise<Readonly<Record<string, string>>> {
    return withinCall(
      call,
      async () => {
        try {
          this.client ??= clientOf(this.creds);
          const headers = await (await this.client).getRequestHeaders(url);
          return Object.fromEntries(headers);
        } catch (error) {
          this.client = null;
          throw explainAuth(error, this.creds.type);
        }
      },
      this.now,
    );
  }
}

async function clientOf(creds: GcpConfig['creds']): Promise<AuthClient> {
  const { GoogleAuth, JWT } = await import('google-auth-library');
  const client =
    creds.type === 'default'
      ? await new GoogleAuth({
          scopes: SCOPES,
          // Google's library knows proxies, but would ask for the machine's own metadata there too.
          clientOptions: { transporterOptions: { agent: environmentAgent() } },
        }).getClient()
      : new JWT({ ...keyOf(creds.data), scopes: SCOPES });
  // A key signs tokens itself, which Google's APIs take: nothing to ask for, and no second service to reach.
  if (client instanceof JWT) client.useJWTAccessWithScope = true;
  return client;
}

function keyOf(data: string): { email: string; key: string; keyId?: string } {
  // Checked by the schema of the configuration.
  const key = JSON.parse(data) as { client_email: string; private_key: string; private_key_id?: string };
  return {
    email: key.client_email,
    key: key.private_key,
    ...(key.private_key_id === undefined ? {} : { keyId: key.private_key_id }),
  };
}

/** No answer of the token service is none of ours; anything else the credentials cannot do. */
function explainAuth(error: unknown, type: GcpConfig['creds']['type']): BackendError {
  if (isBackendError(error)) return error;
  const { code, status, message } = toParts(error);
  const isUnanswered = status === null ? NETWORK.test(code) : status >= 500 || status === 429;
  if (isUnanswered)
    return new BackendError({ kind: 'outage', blocks: 'account' }, `no token from Google: ${message}`, {
      cause: error,
    });
  // What a broken key makes of the crypto library helps nobody.
  const text = type === 'service_account' ? 'the private key cannot be used to sign' : message;
  return new BackendError({ kind: 'credentials', blocks: 'account' }, text, { cause: error });
}

const NETWORK = /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST|ENETUNREACH|EPIPE|ERR_SOCKET)/;

function toParts(error: unknown): { code: string; status: number | null; message: string } {
  if (!(error instanceof Error)) return { code: '', status: null, message: String(error) };
  const { code, status } = error as Error & { code?: unknown; status?: unknown }; // as Gaxios adds them
  return {
    code: typeof code === 'string' ? code : '',
    status: typeof status === 'number' ? status : null,
    message: error.message,
  };
}
